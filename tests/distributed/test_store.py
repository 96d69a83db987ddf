"""PostgreSQL stopped in the middle of everything: posts wait or come again, and nothing acknowledged is lost."""

import signal
import threading

import pytest

from tests.services import wait_until
from tests.services.postgres import PostgresServer

from .fleet import line, unique

LANES = 50


class Load(threading.Thread):
    """Posts one after the other through one API until told to stop; keeps what was answered."""

    def __init__(self, api, key, run):
        super().__init__(daemon=True)
        self.api, self.key, self.run_id = api, key, run
        self.acknowledged, self.refused, self.errors = [], [], []
        self.over = threading.Event()

    def run(self):
        number = 0
        while not self.over.is_set():
            id = f"{self.run_id}-{number}"
            try:
                status, headers, text = self.api.post(self.key, line(id, number % LANES))
            except OSError as error:
                self.errors.append(repr(error))
                return
            if status == 202:
                self.acknowledged.append(id)
            elif status in {429, 503} and headers["Retry-After"]:
                self.refused.append(status)
            else:
                self.errors.append((status, text))
            number += 1

    def wait_for_more(self, posts):
        wanted = len(self.acknowledged) + posts
        wait_until(lambda: self.errors or len(self.acknowledged) >= wanted, timeout=60, what=f"{posts} more posts")

    def end(self):
        self.over.set()
        self.join(60)
        assert not self.is_alive()
        assert self.errors == []


@pytest.fixture(scope="module")
def postgres():
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def fleet(postgres, broker, make_fleet):
    fleet = make_fleet(postgres.url(), broker.url)
    yield fleet
    fleet.close()


def immediate(server):
    """As ``pg_ctl stop -m immediate``: connections are cut, and the next start recovers from the log."""
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(30)


@pytest.fixture
def running(fleet, postgres, make_receiver):
    """Workers and a sweeper that started before their store, and a front under load."""
    receiver = make_receiver()
    key = fleet.sign_up(("dashboard", receiver.url))
    postgres.stop()
    early = [fleet.worker(), fleet.worker(), fleet.sweeper()]
    for process in early:
        wait_until(
            lambda one=process: "waits for the store" in one.said(), timeout=60, what="it says what it waits for"
        )
    postgres.start()
    api = fleet.api()
    fleet.ready(*early[:2])
    wait_until(api.ready, timeout=60, what="the API is ready")
    wait_until(lambda: fleet.leader() == early[2].pid, timeout=60, what="the sweeper leads")
    loads = [Load(api, key, unique("load")) for _ in range(2)]
    for load in loads:
        load.start()
    yield [api, *early], loads, receiver
    for load in loads:
        load.over.set()


def test_all_start_before_the_store_go_through_its_crash_and_deliver_what_was_acknowledged(fleet, postgres, running):
    processes, loads, receiver = running
    for load in loads:
        load.wait_for_more(50)
    delivered = len(receiver.received)
    immediate(postgres)
    assert processes[0].call("GET", "/livez")[0] == 200
    postgres.start()
    for load in loads:
        load.wait_for_more(50)
    wait_until(lambda: len(receiver.received) > delivered, timeout=60, what="the workers go on")
    for load in loads:
        load.end()
    ids = [id for load in loads for id in load.acknowledged]
    fleet.delivered(receiver, ids)
    stored = {id for (id,) in fleet.rows("SELECT id FROM messages")}
    assert set(ids) <= stored, "acknowledged and gone"
    assert set(receiver.ids) == stored, "what was stored without an answer is delivered as well"
    assert all(len(receiver.keys_of(id)) == 1 for id in ids)
    for order in receiver.first_effects().values():
        for load in loads:
            mine = [int(id.rsplit("-", 1)[1]) for id in order if id.startswith(load.run_id)]
            assert mine == sorted(mine)
    for process in processes:
        assert process.alive(), process.said()
        assert "Traceback" not in process.said()
        assert "parameters" not in process.said(), "statements are logged with their values"
