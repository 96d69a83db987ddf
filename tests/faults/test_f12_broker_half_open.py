"""F12: the connections to the broker stand and carry nothing: all notice it, posts go on, deliveries go on after it."""

import contextlib
import statistics

import pytest

from tests.distributed.fleet import line, seconds, unique
from tests.services import wait_until

POSTS = 40
NOTICED = 90
"""Seconds: the worker's heartbeats (ten seconds) have to be missed twice."""


@pytest.fixture
def hub(gated_fleet):
    return gated_fleet


def post(hub, run):
    """Post one after the other; answers the ids and the median seconds."""
    ids = [f"{run}-{number}" for number in range(POSTS)]

    def one(number):
        status, _, text = hub.api.post(hub.key, line(ids[number], number))
        assert status == 202, text

    return ids, statistics.median(seconds(lambda number=number: one(number)) for number in range(POSTS))


@contextlib.contextmanager
def half_open(gate):
    before = gate.hits("black_hole")
    gate.change(black_hole=True)
    try:
        yield
        assert gate.hits("black_hole") > before, "nobody said anything"
    finally:
        gate.change()


def says(process, words, told):
    wait_until(lambda: words in process.said()[told[process.pid] :], timeout=NOTICED, what=words)


@pytest.mark.prove
@pytest.mark.timeout(400)
def test_f12_is_noticed_and_ends_by_itself(hub):
    usual_ids, usual = post(hub, unique("usual"))
    hub.fleet.delivered(hub.receiver, usual_ids)
    told = {process.pid: len(process.said()) for process in (hub.api, hub.sweeper, hub.worker)}
    with half_open(hub.to_broker):
        ids, took = post(hub, unique("silent"))
        for process in (hub.api, hub.sweeper):
            says(process, "doorbell: the broker does not answer (", told)
        says(hub.worker, "Connection to broker lost", told)  # by its heartbeat
        more, meanwhile = post(hub, unique("noticed"))
        # A doorbell is all that takes a worker to a destination: without a broker nothing is delivered.
        assert hub.fleet.states()["pending"] == 2 * POSTS
    assert max(took, meanwhile) < 5 * usual + 0.05
    hub.fleet.delivered(hub.receiver, ids + more, timeout=120)
    # Only who rings finds out that it rings again: the front by its next message.
    again, _ = post(hub, unique("again"))
    hub.fleet.delivered(hub.receiver, again)
    for process in (hub.api, hub.sweeper):
        says(process, "doorbell: the broker answers again", told)
    posted = [usual_ids, ids, more, again]
    mine = {id for ids in posted for id in ids}
    for id in mine:
        assert len(hub.receiver.keys_of(id)) == 1
    lanes = [[id for id in lane if id in mine] for lane in hub.receiver.first_effects().values()]
    assert sorted(lane for lane in lanes if lane) == sorted(map(list, zip(*posted, strict=True)))
