"""Settling: what a verdict makes of delivery, lane, replica and those who waited."""

import pytest

from bus.contract.route import Route
from bus.contract.verdict import Ambiguous, Deferred, Delivered, Rejected, RetryLater, Unavailable
from bus.engine import tables
from bus.engine.accept import Acceptor
from bus.engine.claim import start
from bus.engine.registers import counters
from bus.engine.settle import Settler
from tests.engine.hub import LINE, RETRY, Hub, incoming


def test_a_delivery_is_written_with_its_attempt_and_replica(hub):
    hub.post("k")
    hub.carry(Delivered("created", status=201))
    (delivery,), (attempt,), (replica,) = hub.deliveries(), hub.rows(tables.attempts), hub.rows(tables.replicas)
    assert (delivery.state, delivery.holds, delivery.settled_at) == ("delivered", 0, hub.clock())
    assert (attempt.outcome, attempt.status, attempt.detail, attempt.number) == ("delivered", 201, "created", 1)
    assert (replica.key, replica.version, replica.message, replica.deleted) == ("k", 1, delivery.message, 0)
    assert (hub.lane().due_at, hub.lane().owner, hub.lane().held) == (None, None, 0)
    assert len(hub.audited("settled")) == 1


def test_a_deletion_marks_the_replica(hub):
    hub.accept(incoming("k"), incoming("k", op="delete"))
    hub.deliver_all()
    (replica,) = hub.rows(tables.replicas)
    assert (replica.deleted, replica.version) == (1, 2)


def test_a_report_of_a_fenced_worker_changes_nothing(hub):
    hub.post("k")
    (old,) = hub.claim(owner="A")
    hub.clock.forward(61)
    (new,) = hub.claim(owner="B")
    before = (hub.deliveries(), hub.rows(tables.lanes))
    assert not hub.report(old, Rejected("no"))
    assert (hub.deliveries(), hub.rows(tables.lanes)) == before
    assert hub.count(tables.attempts) == 0
    assert hub.report(new, Delivered())
    assert not hub.report(old, Unavailable("closed"))
    assert hub.states() == ["delivered"]


def test_a_report_that_is_given_in_twice_counts_once(hub):
    # As the writer does when the connection broke in COMMIT, and nobody knows what became of the transaction.
    hub.post("k")
    (lane,) = hub.claim()
    assert hub.report(lane, Delivered())
    before = (hub.deliveries(), hub.rows(tables.lanes), hub.rows(tables.attempts), hub.audited("settled"))
    assert not hub.report(lane, Delivered())
    assert (hub.deliveries(), hub.rows(tables.lanes), hub.rows(tables.attempts), hub.audited("settled")) == before


def test_a_late_report_counts_while_nobody_took_the_lane_over(hub):
    hub.post("k")
    (lane,) = hub.claim()
    hub.clock.forward(61)
    assert hub.report(lane, Delivered())
    assert hub.states() == ["delivered"]


def test_a_dead_delivery_does_not_hold_and_is_superseded_by_a_later_version(hub):
    hub.post("k")
    hub.carry(Rejected("no such account", status=422))
    (dead,) = hub.deliveries()
    assert (dead.state, dead.holds, dead.reason) == ("dead", 0, "no such account")
    hub.post("k")
    assert hub.states() == ["dead", "pending"]
    hub.carry(Delivered())
    assert hub.states() == ["superseded", "delivered"]


def test_only_dead_versions_of_the_same_record_at_the_same_place_are_superseded(hub):
    hub.use([LINE, Route("other", "budget.line", "e-delivery", encode=dict)])
    hub.post("k")
    hub.post("l")
    for destination in ("e-project", "e-delivery"):
        for lane in hub.claim(destination):
            hub.report(lane, Rejected("no"))
    hub.post("k")
    hub.deliver_all("e-project")
    assert hub.states("k", "e-project") == ["superseded", "delivered"]
    assert hub.states("k", "e-delivery") == ["dead", "pending"]
    assert hub.states("l") == ["dead", "dead"]


def test_a_newer_dead_version_is_not_superseded_by_a_replay_of_an_older_one(hub):
    hub.post("k")
    hub.carry(Delivered())
    hub.post("k")
    hub.carry(Rejected("no"))
    hub.replay(hub.deliveries()[0].id, overwrite=True)
    hub.carry(Delivered())
    assert hub.states() == ["delivered", "dead", "delivered"]


def test_a_partition_holds_on_dead(hub):
    hub.post("a", partition="x")
    hub.post("b", partition="x")
    (lane,) = hub.claim()
    assert hub.report(lane, Rejected("no"))
    assert hub.states() == ["dead", "pending"]
    hub.clock.forward(10**6)
    assert hub.claim() == []
    hub.resolve(hub.the("a").id, "discard")
    assert hub.deliver_all() == ["b"]


def test_a_partition_goes_on_past_dead_where_the_route_says_so(hub):
    hub.use([Route("line", "budget.line", "e-project", encode=dict, on_dead="continue")])
    hub.post("a", partition="x")
    hub.carry(Rejected("no"))
    hub.post("b", partition="x")
    assert hub.deliver_all() == ["b"]
    assert hub.states() == ["dead", "delivered"]


def test_a_dead_delivery_superseded_from_another_lane_sets_its_partition_free(hub):
    hub.post("a", partition="x")
    hub.post("b", partition="x")
    (lane,) = hub.claim()
    hub.report(lane, Rejected("no"))
    hub.post("a")
    assert hub.deliver_all() == ["a", "b"]
    assert hub.states("a") == ["superseded", "delivered"]


def test_retry_later_uses_up_the_retries_and_then_makes_dead(hub):
    hub.post("k")
    for tries in range(1, RETRY.attempts + 1):
        assert hub.carry(RetryLater("busy")).deliveries[0].attempt == tries
        assert hub.the("k").retries == tries
        hub.clock.forward(RETRY.longest)
    assert hub.states() == ["dead"]
    assert "gave up after 3 tries: busy" in hub.the("k").reason


def test_unavailable_never_uses_up_and_never_makes_dead(hub):
    hub.post("k")
    for _ in range(RETRY.attempts * 10):
        hub.carry(Unavailable("connection refused"))
        hub.clock.forward(30)
    row = hub.the("k")
    assert (row.state, row.retries, row.attempts) == ("retrying", 0, RETRY.attempts * 10)
    assert hub.deliver_all() == ["k"]


@pytest.mark.parametrize("verdict", [Unavailable("x"), RetryLater("x"), Ambiguous("x"), Deferred("t", 5)])
def test_what_is_not_ended_holds_its_lane_and_no_other(hub, verdict):
    hub.accept(incoming("k"), incoming("k"), incoming("other"))
    lanes = {lane.deliveries[0].message.subject: lane for lane in hub.claim()}
    hub.report(lanes["k"], verdict)
    assert hub.claim() == []
    assert hub.report(lanes["other"], Delivered())
    assert hub.states("other") == ["delivered"]
    assert hub.states("k")[1] == "pending"


@pytest.mark.parametrize(
    ("kind", "state", "started"), [("keyed", "retrying", 0), ("queryable", "retrying", 1), ("blind", "parked", 0)]
)
def test_an_ambiguous_outcome_is_repeated_asked_for_or_parked(hub, kind, state, started):
    hub.post("k")
    (lane,) = hub.claim()
    if kind != "keyed":
        hub.do(start, [(lane, lane.deliveries[0].seq)], hub.clock(), owner="w", alone=False)
    hub.report(lane, Ambiguous("no answer"), kind=kind)
    row = hub.the("k")
    assert (row.state, row.holds, hub.count(tables.starts)) == (state, 1, started)
    if kind == "blind":
        assert (row.parked, row.reason) == ("ambiguous", "no answer")
        assert (hub.lane().held, hub.lane().due_at) == (1, None)
    else:
        hub.clock.forward(30)
        again = hub.claim()[0].deliveries[0]
        assert (again.key, again.started) == (row.id, kind == "queryable")


def test_a_deferred_delivery_is_asked_for_with_its_token_when_it_is_time(hub):
    hub.post("k")
    hub.carry(Deferred("ticket 7", check_after=20))
    assert (hub.the("k").state, hub.the("k").token) == ("deferred", "ticket 7")
    hub.clock.forward(19)
    assert hub.claim() == []
    hub.clock.forward(1)
    assert hub.claim()[0].deliveries[0].token == "ticket 7"


def test_what_is_given_back_keeps_its_attempts_and_its_state(hub):
    hub.accept(*[incoming("k") for _ in range(3)])
    hub.carry(Unavailable("closed"))
    assert [row.attempts for row in hub.deliveries()] == [1, 0, 0]
    hub.clock.forward(30)
    (lane,) = hub.claim()
    assert hub.report(lane)
    assert [(row.state, row.attempts) for row in hub.deliveries()] == [("retrying", 1), ("pending", 0), ("pending", 0)]
    assert [one.attempt for one in hub.claim()[0].deliveries] == [2, 1, 1]


def test_long_reasons_are_cut(hub):
    hub.post("k")
    hub.carry(Rejected("x" * 10_000))
    assert len(hub.the("k").reason) == len(hub.rows(tables.attempts)[0].detail) == 500


def test_counters_change_in_the_transaction_of_what_they_count(hub):
    def tally(events):
        return [("seen", type(event).__name__, 1) for event in events]

    counted = Hub(hub.database)
    counted.acceptor = Acceptor(counted.routing, counted.clock, tally)
    counted.settler = Settler(counted.routing, counted.clock, tally)
    counted.post("k")
    counted.carry(Rejected("no"))
    counted.post("k")
    counted.carry(Delivered())
    assert {row.labels: row.value for row in counted.rows(counters)} == {
        "MessageAccepted": 2,
        "AttemptEnded": 2,
        "FaultSeen": 1,
        "DeliverySettled": 3,
    }
