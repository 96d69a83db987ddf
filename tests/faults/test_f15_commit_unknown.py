"""F15: the connection to PostgreSQL is cut when COMMIT is done and before its answer: the store is asked what became of
it, and who posted finds out by the id where it cannot be asked."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.engine.writer import PATIENCE
from tests.distributed.fleet import line, unique
from tests.services import wait_until

CUT = {"reset_answers": True, "reset_on": "COMMIT"}


@pytest.fixture
def hub(gated_fleet):
    return gated_fleet


def stored(hub, id):
    return hub.fleet.rows("SELECT count(*) FROM messages WHERE id = %s", id)[0][0]


def once(hub, id):
    """It arrived, and everything is there once: the message, the delivery, the attempt, the effect."""
    hub.fleet.delivered(hub.receiver, [id])
    assert stored(hub, id) == 1
    counts = """
        SELECT count(DISTINCT d.id), count(a.*) FROM deliveries d JOIN messages m ON m.seq = d.message
        LEFT JOIN attempts a ON a.delivery = d.seq WHERE m.id = %s AND d.destination LIKE 'sub:%%'
    """
    assert hub.fleet.rows(counts, id) == [(1, 1)]
    assert hub.receiver.ids.count(id) == 1


def post(hub, id):
    status, headers, text = hub.api.post(hub.key, line(id))
    return status, headers, text


def test_f15_a_poster_gets_its_answer_where_the_store_can_be_asked(hub):
    id, gate = unique("accept"), hub.front_to_store
    before = gate.hits("reset_answers")
    gate.change(**CUT)
    try:
        status, _, text = post(hub, id)
        assert gate.hits("reset_answers") > before, "its COMMIT was cut"
    finally:
        gate.change()
    assert (status, b"accepted" in text) == (202, True), text
    assert post(hub, id)[0] == 200
    once(hub, id)


def test_f15_a_poster_waits_until_the_store_can_be_asked(hub):
    id, gate = unique("wait"), hub.front_to_store
    refused = gate.hits("refuse")
    gate.change(**CUT, refuse_new=True)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, hub, id)
        wait_until(lambda: gate.hits("refuse") >= refused + 3, timeout=20, what="it is asked again and again")
        assert stored(hub, id) == 1, "the COMMIT itself went through"
        assert not answer.done()
        gate.change()
        status, _, text = answer.result(60)
    assert (status, b"accepted" in text) == (202, True), text
    once(hub, id)


@pytest.mark.prove
def test_f15_a_poster_who_is_left_in_doubt_repeats_the_id(hub):
    id, gate = unique("doubt"), hub.front_to_store
    gate.change(**CUT, refuse_new=True)
    try:
        status, headers, text = post(hub, id)
    finally:
        gate.change()
    assert (status, bool(headers["Retry-After"])) == (503, True), text
    assert stored(hub, id) == 1
    assert post(hub, id)[0] == 200
    once(hub, id)
    assert PATIENCE < 45, "the poster of these tests would not have waited"


def test_f15_a_worker_whose_settling_is_in_doubt_sends_nothing_twice(hub):
    id, gate = unique("settle"), hub.worker_to_store
    hub.receiver.free.clear()
    assert post(hub, id)[0] == 202
    wait_until(lambda: id in hub.receiver.ids, timeout=30, what="the attempt is under way")
    before = gate.hits("reset_answers")
    gate.change(**CUT)
    hub.receiver.free.set()
    query = "SELECT d.state FROM deliveries d JOIN messages m ON m.seq = d.message WHERE m.id = %s"
    wait_until(lambda: ("delivered",) in hub.fleet.rows(query, id), timeout=30, what="the report is in the store")
    wait_until(lambda: gate.hits("reset_answers") > before, timeout=20, what="and its answer is cut")
    gate.change()
    once(hub, id)
    # The worker goes on.
    after = unique("after")
    assert post(hub, after)[0] == 202
    once(hub, after)
