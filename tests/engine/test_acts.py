"""The acts of a person: replay and resolve; each leaves an audit row."""

import json

import pytest

from bus.contract.errors import Refused
from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable
from bus.engine import tables
from tests.engine.hub import LINE, child_route, incoming


def _refusal(act, *args, **more):
    with pytest.raises(Refused) as caught:
        act(*args, **more)
    return caught.value.problem.status, caught.value.problem.slug


def test_replaying_a_dead_delivery_resumes_it_with_its_key(hub):
    hub.post("k")
    hub.carry(Rejected("no"))
    dead = hub.the("k")
    assert hub.replay(dead.id, reason="mended") == dead.id
    (lane,) = hub.claim()
    assert (lane.deliveries[0].key, lane.deliveries[0].sequence, lane.deliveries[0].attempt) == (dead.id, 1, 2)
    assert json.loads(hub.audited("replayed")[0].detail) == {"delivery": dead.id, "sent": dead.id, "reason": "mended"}


def test_a_resumed_delivery_has_all_its_retries_again_and_goes_before_later_ones(hub):
    hub.post("k")
    for _ in range(3):
        hub.carry(RetryLater("busy"))
        hub.clock.forward(8)
    assert hub.states() == ["dead"]
    hub.post("k")
    hub.replay(hub.deliveries()[0].id)
    (lane,) = hub.claim()
    assert [(one.sequence, one.retries) for one in lane.deliveries] == [(1, 0), (2, 0)]


def test_replaying_a_parked_delivery_sends_it_without_its_parent(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(incoming("child", type="project.package", data={"needs": {"budget.line": "line"}}))
    parked = hub.the("child")
    assert hub.replay(parked.id) == parked.id
    assert hub.deliver_all() == ["child"]


def test_replaying_a_delivered_one_makes_a_new_delivery_at_the_end_of_its_lane(hub):
    hub.post("k")
    hub.deliver_all()
    first = hub.the("k")
    sent = hub.replay(first.id)
    again = hub.deliveries()[1]
    assert (again.id, again.replay_of, again.sequence, again.message) == (sent, first.id, 2, first.message)
    assert again.id != first.id
    assert hub.deliver_all() == ["k"]
    hub.post("k")
    assert [row.sequence for row in hub.deliveries()] == [1, 2, 3]


def test_a_replay_does_not_overwrite_a_newer_version_unless_told(hub):
    hub.post("k")
    hub.post("k")
    hub.deliver_all()
    old = hub.deliveries()[0].id
    assert _refusal(hub.replay, old) == (409, "newer-version")
    assert hub.count(tables.deliveries) == 2
    hub.replay(old, overwrite=True)
    assert hub.deliver_all() == ["k"]
    assert hub.rows(tables.replicas)[0].version == 1


def test_a_dead_version_is_not_replayed_past_a_later_one_that_is_being_sent(hub):
    """The later one may have arrived already: the older one would then overwrite it."""
    hub.post("k")
    hub.carry(Rejected("no"))
    hub.post("k")
    (lane,) = hub.claim()
    dead = hub.deliveries()[0].id
    assert _refusal(hub.replay, dead, overwrite=True) == (409, "newer-version")
    assert _refusal(hub.resolve, dead, "retry") == (409, "newer-version")
    hub.report(lane, Ambiguous("no answer"))
    assert _refusal(hub.replay, dead) == (409, "newer-version")
    hub.clock.forward(30)
    hub.deliver_all()
    assert hub.states() == ["superseded", "delivered"]


@pytest.mark.parametrize("verdict", [None, Unavailable("closed")])
def test_what_is_on_its_way_is_not_replayed(hub, verdict):
    hub.post("k")
    if verdict:
        hub.carry(verdict)
    assert _refusal(hub.replay, hub.the("k").id) == (409, "not-replayable")
    assert _refusal(hub.resolve, hub.the("k").id, "discard") == (409, "not-waiting")


def test_an_unknown_delivery_is_not_found(hub):
    assert _refusal(hub.replay, "unknown") == (404, "not-found")
    assert _refusal(hub.resolve, "unknown", "retry") == (404, "not-found")


def _ambiguous(hub):
    hub.post("k")
    hub.post("k")
    hub.carry(Ambiguous("no answer"), kind="blind")
    row = hub.deliveries()[0]
    assert (row.state, row.parked) == ("parked", "ambiguous")
    assert hub.claim() == []
    return row


def test_resolved_as_delivered_it_counts_as_arrived(hub):
    row = _ambiguous(hub)
    assert hub.resolve(row.id, "delivered") == "delivered"
    (replica,) = hub.rows(tables.replicas)
    assert (replica.key, replica.version) == ("k", 1)
    assert hub.deliver_all() == ["k"]
    assert hub.states() == ["delivered", "delivered"]
    detail = json.loads(hub.audited("resolved")[0].detail)
    assert detail == {"delivery": row.id, "as": "delivered", "reason": "a person said so"}


def test_resolved_as_delivered_it_frees_the_children_that_waited(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(incoming("child", type="project.package", data={"needs": {"budget.line": "k"}}))
    hub.post("k")
    hub.carry(Ambiguous("no answer"), kind="blind")
    hub.resolve(hub.the("k").id, "delivered")
    assert hub.deliver_all() == ["child"]


def test_resolved_as_delivered_it_supersedes_dead_versions_before_it(hub):
    hub.post("k")
    hub.carry(Rejected("no"))
    hub.post("k")
    hub.carry(Ambiguous("no answer"), kind="blind")
    hub.resolve(hub.deliveries()[1].id, "delivered")
    assert hub.states() == ["superseded", "delivered"]


def test_resolved_as_retry_it_is_sent_again_with_its_key(hub):
    row = _ambiguous(hub)
    assert hub.resolve(row.id, "retry") == "pending"
    (lane,) = hub.claim()
    assert lane.deliveries[0].key == row.id
    assert hub.report(lane, Delivered(), Delivered())


def test_resolved_as_discard_it_is_sent_no_more_and_its_lane_goes_on(hub):
    row = _ambiguous(hub)
    assert hub.resolve(row.id, "discard") == "discarded"
    assert hub.deliver_all() == ["k"]
    assert hub.states() == ["discarded", "delivered"]
    assert hub.deliveries()[0].reason == "a person said so"
    assert len(hub.rows(tables.replicas)) == 1


def test_what_has_been_decided_is_not_decided_again(hub):
    row = _ambiguous(hub)
    hub.resolve(row.id, "discard")
    assert _refusal(hub.resolve, row.id, "delivered") == (409, "not-waiting")
    assert _refusal(hub.replay, row.id) == (409, "not-replayable")
