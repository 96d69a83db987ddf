"""F52: the broker's and the database's passwords are changed under a distributed hub: it waits for the right one."""

import pytest
from sqlalchemy.engine import make_url

from tests.distributed.broker import Broker
from tests.distributed.fleet import COMMANDS, Api, Fleet, Process, line
from tests.distributed.receiver import Receiver
from tests.services import wait_until
from tests.services.postgres import PostgresServer

OLD, NEW = "guest", "of-today"
DOWN = "doorbell: the broker does not answer ("


@pytest.fixture
def broker():
    server = Broker()
    try:
        server.run()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres():
    """A server that asks the role ``hub`` for its password."""
    server = PostgresServer()
    try:
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text("host all hub 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n")
        server.start()
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE hub LOGIN PASSWORD '{OLD}' IN ROLE arus")
        yield server
    finally:
        server.remove()


class Town:
    """A front, a worker and a sweeper that know passwords; ``start`` gives more of them others."""

    def __init__(self, folder, postgres, broker):
        self.store = make_url(postgres.url()).set(username="hub", password=OLD)
        self.broker = make_url(broker.url.rstrip("/"))
        self.fleet, self.receiver = Fleet(folder, postgres.url(), broker.url), Receiver()
        self.key = self.fleet.sign_up(("dashboard", self.receiver.url))
        self.accepted = []

    def start(self, kind, store=OLD, broker=OLD):
        shown = self.store.set(password=store).render_as_string(hide_password=False)
        doorbell = self.broker.set(password=broker).render_as_string(hide_password=False) + "//"
        return self.fleet.start(
            *COMMANDS[kind], kind=Api if kind == "api" else Process,
            ARUS_DATABASE_URL=shown, ARUS_BROKER_URL=doorbell,
        )  # fmt: skip

    def post(self, api, name, count=10):
        for number in range(count):
            id = f"{name}-{number}"
            status, _, text = api.post(self.key, line(id, number))
            assert status == 202, text
            self.accepted.append(id)

    def all_delivered(self):
        self.fleet.delivered(self.receiver, self.accepted)
        assert all(len(self.receiver.keys_of(id)) == 1 for id in self.accepted)

    def close(self):
        self.fleet.close()
        self.receiver.close()


@pytest.fixture
def town(tmp_path, postgres, broker):
    town = Town(tmp_path, postgres, broker)
    town.api, town.worker, town.sweeper = (town.start(kind) for kind in ("api", "worker", "sweeper"))
    wait_until(town.api.ready, timeout=90, what="the API is ready")
    town.fleet.ready(town.worker)
    town.post(town.api, "before")
    town.all_delivered()
    yield town
    town.close()


@pytest.mark.prove
@pytest.mark.timeout(400)
def test_the_brokers_password_changes(town, broker):
    broker.control("change_password", "guest", NEW)
    broker.control("close_all_connections", "rotated")
    town.post(town.api, "without")  # the front answers as ever
    wait_until(lambda: DOWN in town.api.said(), timeout=60, what="its doorbell is refused")
    # Restarted with the new password, as an operator would: the waiting ones go out. A leading sweeper that is refused
    # goes on leading, so it has to end.
    for process in (town.worker, town.sweeper):
        process.end()
    workers = [town.start(kind, broker=NEW) for kind in ("worker", "sweeper")]
    town.all_delivered()
    town.post(town.api, "beside")
    town.all_delivered()
    # And where the old one is right again, the one that was not restarted rings by itself.
    broker.control("change_password", "guest", OLD)
    town.post(town.api, "again")
    wait_until(lambda: "doorbell: the broker answers again" in town.api.said(), timeout=60, what="it rings again")
    town.all_delivered()
    assert town.api.alive()
    assert all(one.alive() for one in workers), [one.said() for one in workers]
    assert "Traceback" not in town.api.said()


@pytest.mark.prove
@pytest.mark.timeout(400)
def test_the_databases_password_changes(town, postgres):
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'hub'"
    with postgres.connect() as connection:
        connection.execute(f"ALTER ROLE hub PASSWORD '{NEW}'")
        assert connection.execute(ended).fetchone()[0] > 0
    assert town.api.call("GET", "/livez")[0] == 200
    wait_until(lambda: town.api.call("GET", "/readyz")[0] == 503, timeout=60, what="it is not ready")
    api, worker = town.start("api", store=NEW), town.start("worker", store=NEW)
    wait_until(api.ready, timeout=90, what="the one with the new password is ready")
    town.post(api, "new")
    wait_until(lambda: worker.pid in town.fleet.workers(), timeout=90, what="the new worker signs")
    sweeper = town.start("sweeper", store=NEW)
    town.all_delivered()
    with postgres.connect() as connection:
        connection.execute(f"ALTER ROLE hub PASSWORD '{OLD}'")
    wait_until(town.api.ready, timeout=90, what="the old one goes on by itself")
    town.post(town.api, "old")
    town.all_delivered()
    for process in (town.api, town.worker, town.sweeper, api, worker, sweeper):
        assert process.alive(), process.said()
        assert NEW not in process.said(), "a password in the log"
