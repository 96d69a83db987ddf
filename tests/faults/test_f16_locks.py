"""F16: a second session holds rows, deadlocks with the hub, or changes rows under it: bounded repetition, no 500."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.distributed.fleet import line, unique
from tests.services import wait_until

NUMBERS = iter(range(9000, 10000))
"""Activities, and so lanes, that no test has twice."""


class ServerLog:
    """What PostgreSQL says from now on."""

    def __init__(self, server):
        self._log, self._from = server.log, server.log.stat().st_size

    def wait_for(self, words):
        wait_until(lambda: words in self._log.read_bytes()[self._from :].decode(), timeout=60, what=words)


@pytest.fixture
def hub(gated_fleet):
    return gated_fleet


@pytest.fixture
def log(hub, postgres_server):
    return ServerLog(postgres_server)


@pytest.fixture
def other(hub):
    """A session beside the hub's, in a transaction that its test ends."""
    url = make_url(hub.fleet.database_url)
    with contextlib.closing(
        psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database)
    ) as connection:
        yield connection


@pytest.fixture
def lanes(hub):
    """Two lanes, in their order, in which something was delivered: (number of the record, lane key)."""
    found = []
    for number in (next(NUMBERS), next(NUMBERS)):
        id = unique("first")
        assert hub.api.post(hub.key, line(id, number))[0] == 202
        hub.fleet.delivered(hub.receiver, [id])
        ((lane,),) = hub.fleet.rows("SELECT lane FROM messages WHERE id = %s", id)
        found.append((number, lane))
    return sorted(found, key=lambda one: one[1])


def hold(session, lane):
    """Lock the row that numbers a lane's messages, which each acceptance needs; the value stays as it is."""
    done = session.execute("UPDATE lane_keys SET sequence = sequence WHERE lane = %s", (lane,))
    assert done.rowcount == 1


def arrived(hub, *ids):
    """Each was stored and had its effect once."""
    hub.fleet.delivered(hub.receiver, ids)
    for id in ids:
        assert hub.fleet.rows("SELECT count(*) FROM messages WHERE id = %s", id) == [(1,)]
        assert len(hub.receiver.keys_of(id)) == 1


def test_f16_a_held_row_is_waited_for_and_asked_for_again(hub, other, log, lanes):
    number, lane = lanes[0]
    hold(other, lane)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(hub.api.post, hub.key, line(id := unique("held"), number))
        log.wait_for("canceling statement due to lock timeout")
        assert not answer.done()
        other.rollback()
        assert answer.result(60)[0] == 202
    arrived(hub, id)


@pytest.mark.prove
def test_f16_a_row_that_stays_held_is_given_up(hub, other, log, lanes):
    number, lane = lanes[0]
    hold(other, lane)
    status, headers, text = hub.api.post(hub.key, line(id := unique("stuck"), number))
    assert (status, bool(headers["Retry-After"])) == (503, True), text
    assert hub.fleet.rows("SELECT count(*) FROM messages WHERE id = %s", id) == [(0,)]
    other.rollback()
    assert hub.api.post(hub.key, line(id, number))[0] == 202
    arrived(hub, id)


def test_f16_a_deadlock_is_repeated(hub, other, log, lanes):
    (first, first_lane), (second, second_lane) = lanes
    other.execute("SET deadlock_timeout = '60s'")  # whoever waits for less is the victim: the hub
    hold(other, second_lane)
    ids = [unique("one"), unique("two")]
    with ThreadPoolExecutor(2) as pool:
        posting = pool.submit(hub.api.bulk, hub.key, [line(ids[0], first), line(ids[1], second)])
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%lane_keys%%'"
        wait_until(lambda: hub.fleet.rows(waiting)[0][0] == 1, timeout=30, what="the hub holds one and wants the other")
        crossing = pool.submit(hold, other, first_lane)
        log.wait_for("deadlock detected")
        crossing.result(60)
        assert not posting.done()
        other.rollback()
        posting.result(60)
    arrived(hub, *ids)


@pytest.fixture
def repeatable_read(hub):
    """The database is set so that a row which changed meanwhile fails a transaction, for new connections."""
    name = make_url(hub.fleet.database_url).database
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    hub.fleet.rows(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    hub.fleet.rows(end, name)
    yield
    hub.fleet.rows(f"ALTER DATABASE {name} RESET default_transaction_isolation")
    hub.fleet.rows(end, name)


def test_f16_a_serialization_failure_is_repeated(hub, lanes, log, repeatable_read, other):
    number, lane = lanes[0]
    hold(other, lane)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(hub.api.post, hub.key, line(id := unique("serial"), number))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%lane_keys%%'"
        wait_until(lambda: hub.fleet.rows(waiting)[0][0] == 1, timeout=30, what="the hub waits for the row")
        other.commit()
        log.wait_for("could not serialize access due to concurrent update")
        assert answer.result(60)[0] == 202
    arrived(hub, id)


@pytest.mark.prove
def test_f16_a_worker_settles_when_it_is_let(hub, other, log, lanes):
    number, lane = lanes[0]
    id = unique("settled")
    hub.receiver.free.clear()
    assert hub.api.post(hub.key, line(id, number))[0] == 202
    wait_until(lambda: id in hub.receiver.ids, timeout=30, what="the attempt is under way")
    query = "UPDATE lanes SET held = held WHERE lane = %s AND destination LIKE 'sub:%%'"
    assert other.execute(query, (lane,)).rowcount == 1
    hub.receiver.free.set()
    log.wait_for("canceling statement due to lock timeout")
    other.rollback()
    arrived(hub, id)
