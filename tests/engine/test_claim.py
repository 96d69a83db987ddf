"""Claiming: leases, fences, order, depth; and taking back what a dead engine held."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bus.contract.route import Route
from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable
from bus.engine import tables
from bus.engine.claim import claim, reclaim, start
from tests.engine.hub import LINE, Hub, incoming


def _subjects(lanes):
    return [[one.message.subject for one in lane.deliveries] for lane in lanes]


def test_the_lanes_that_are_due_longest_are_claimed_first(hub):
    for subject in "cab":
        hub.post(subject)
        hub.clock.forward(1)
    assert [_subjects(hub.claim(width=1)) for _ in range(4)] == [[["c"]], [["a"]], [["b"]], []]


def test_what_is_not_yet_due_is_not_claimed(hub):
    hub.post("k")
    hub.carry(Unavailable("closed", after=20))
    hub.clock.forward(19)
    assert hub.claim() == []
    hub.clock.forward(2)
    assert _subjects(hub.claim()) == [["k"]]


def test_a_claimed_delivery_carries_what_a_sink_needs(hub):
    hub.post("k", data={"a": 1}, agency="1.01.0.00.0.00.01.0000", traceparent="00-a-b-01", partition="x")
    (lane,) = hub.claim()
    (one,) = lane.deliveries
    assert (one.message.type, one.message.subject, one.message.op) == ("budget.line", "k", "upsert")
    assert (one.message.data, one.message.agency) == ({"a": 1}, "1.01.0.00.0.00.01.0000")
    assert (one.message.source, one.message.partition) == ("/systems/e-budgeting", "x")
    assert (one.sequence, one.attempt, one.retries, one.token, one.started) == (1, 1, 0, None, False)
    assert one.key == hub.the("k").id
    assert hub.states() == ["delivering"]


def test_a_leased_lane_is_not_claimed_again(hub):
    hub.post("k")
    assert hub.claim(owner="A", lease=60)
    hub.post("k")
    hub.clock.forward(59)
    assert hub.claim(owner="B") == []


def test_an_expired_lease_is_taken_over_with_a_higher_fence(hub):
    hub.post("k")
    (first,) = hub.claim(owner="A", lease=60)
    hub.clock.forward(60)
    (second,) = hub.claim(owner="B", lease=60)
    assert second.fence > first.fence
    assert [one.key for one in second.deliveries] == [one.key for one in first.deliveries]
    assert second.deliveries[0].attempt == 2


def test_depth_limits_what_is_taken_of_one_lane_and_the_rest_follows(hub):
    hub.accept(*[incoming("k") for _ in range(5)])
    (lane,) = hub.claim(depth=2)
    assert [one.sequence for one in lane.deliveries] == [1, 2]
    assert hub.states() == ["delivering"] * 2 + ["pending"] * 3
    assert hub.report(lane, Delivered(), Delivered())
    assert [one.sequence for one in hub.claim(depth=2)[0].deliveries] == [3, 4]


def test_width_limits_the_lanes(hub):
    hub.accept(*[incoming(f"k{number}") for number in range(5)])
    assert [len(hub.claim(width=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_claim_touches_its_own_destination_only(hub):
    hub.use([LINE, Route("other", "budget.line", "e-delivery", encode=dict)])
    hub.post("k")
    assert _subjects(hub.claim("e-project")) == [["k"]]
    assert hub.states("k", "e-delivery") == ["pending"]
    assert _subjects(hub.claim("e-delivery")) == [["k"]]


def test_a_line_ends_before_the_first_that_may_not_go_now(hub):
    hub.accept(*[incoming("k") for _ in range(3)])
    (lane,) = hub.claim()
    assert hub.report(lane, Delivered(), RetryLater("busy"))
    assert hub.states() == ["delivered", "retrying", "pending"]
    assert hub.claim() == []
    hub.clock.forward(8)
    assert [one.sequence for one in hub.claim()[0].deliveries] == [2, 3]


def test_two_workers_of_postgresql_claim_disjoint_lanes_at_once(postgres_store):
    hub = Hub(postgres_store)
    hub.accept(*[incoming(f"k{number}") for number in range(60)])
    gate = threading.Barrier(2)

    def work(owner):
        with postgres_store.writes.begin() as connection:
            gate.wait(timeout=30)
            lanes = claim(connection, "e-project", hub.clock(), owner=owner, width=30, depth=1, lease=60)
            gate.wait(timeout=30)  # both have claimed before either commits: nobody waits for the other
            return {lane.lane for lane in lanes}

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, "AB")
    assert (len(first), len(second), first & second) == (30, 30, set())


@pytest.fixture
def blind():
    return {"e-project": "blind"}


def _reclaim(hub, *, died, kinds=None):
    return hub.do(reclaim, hub.clock(), died=died, kinds=kinds or {}, routing=hub.routing)


def _die_alone(hub, kinds=None):
    """A worker claims, begins alone, and dies."""
    (lane,) = hub.claim()
    assert len(lane.deliveries) == 1
    assert hub.do(start, [(lane, lane.deliveries[0].seq)], hub.clock(), owner="worker", alone=lane.deliveries[0].alone)
    return _reclaim(hub, died=True, kinds=kinds)


def test_a_new_engine_takes_all_leases_back_at_once(hub):
    hub.post("k")
    (old,) = hub.claim(owner="A")
    assert _reclaim(hub, died=False) == 1
    assert hub.states() == ["pending"]
    (new,) = hub.claim(owner="B")
    assert new.fence > old.fence
    assert not hub.report(old, Delivered())
    assert hub.states() == ["delivering"]
    assert len(hub.audited("reclaimed")) == 1


def test_after_a_death_its_batch_runs_singly(hub):
    hub.accept(*[incoming("k") for _ in range(3)])
    hub.claim()
    _reclaim(hub, died=True)
    (lane,) = hub.claim()
    assert [(one.sequence, one.alone) for one in lane.deliveries] == [(1, True)]


def test_three_deaths_alone_make_a_delivery_dead_and_its_lane_goes_on(hub):
    hub.post("k")
    hub.post("k")
    hub.claim()
    _reclaim(hub, died=True)
    for deaths in (1, 2, 3):
        _die_alone(hub)
        assert hub.deliveries("k")[0].deaths == deaths
    poison, later = hub.deliveries("k")
    assert (poison.state, poison.holds) == ("dead", 0)
    assert "poison" in poison.reason
    assert later.state != "dead"
    assert hub.deliver_all() == ["k"]
    assert hub.states() == ["superseded", "delivered"]


def test_a_death_in_a_batch_counts_against_none(hub):
    hub.accept(*[incoming(f"k{number}") for number in range(3)])
    hub.claim()
    _reclaim(hub, died=True)
    assert [row.deaths for row in hub.deliveries()] == [0, 0, 0]


def test_a_restart_of_serve_counts_against_none(hub):
    hub.post("k")
    hub.claim()
    _reclaim(hub, died=True)
    for _ in range(5):
        (lane,) = hub.claim()
        hub.do(start, [(lane, lane.deliveries[0].seq)], hub.clock(), owner="w", alone=True)
        _reclaim(hub, died=False)
    assert hub.the("k").deaths == 0
    assert hub.states() == ["retrying"]


def test_what_was_claimed_and_never_begun_counts_no_death(hub):
    hub.post("k")
    hub.claim()
    _reclaim(hub, died=True)
    for _ in range(5):
        hub.claim()
        _reclaim(hub, died=True)
    assert (hub.the("k").deaths, hub.the("k").state) == (0, "retrying")


def test_poison_holds_a_partition_unless_the_route_goes_on(hub):
    for on_dead, state in (("hold", "pending"), ("continue", "delivered")):
        hub.use([Route("line", "budget.line", "e-project", encode=dict, on_dead=on_dead)])
        first, later = f"{on_dead} 1", f"{on_dead} 2"
        hub.post(first, partition=on_dead)
        hub.post(later, partition=on_dead)
        hub.claim()
        _reclaim(hub, died=True)
        for _ in range(3):
            _die_alone(hub)
        hub.deliver_all()
        assert (hub.the(first).state, hub.the(later).state) == ("dead", state)


def test_only_what_truly_began_is_in_doubt_after_a_crash(hub, blind):
    hub.post("a")
    hub.post("b")
    lanes = {lane.deliveries[0].message.subject: lane for lane in hub.claim()}
    hub.do(start, [(lanes["a"], lanes["a"].deliveries[0].seq)], hub.clock(), owner="w", alone=False)
    _reclaim(hub, died=False, kinds=blind)
    assert {one.message.subject: one.started for lane in hub.claim() for one in lane.deliveries} == {
        "a": True,
        "b": False,
    }


def test_a_start_at_a_destination_that_takes_keys_is_forgotten(hub):
    hub.post("k")
    (lane,) = hub.claim()
    hub.do(start, [(lane, lane.deliveries[0].seq)], hub.clock(), owner="w", alone=True)
    _reclaim(hub, died=True, kinds={"e-project": "keyed"})
    assert not hub.claim()[0].deliveries[0].started


def test_a_start_is_refused_when_the_lease_was_taken_over(hub):
    hub.post("k")
    (old,) = hub.claim(owner="A")
    hub.clock.forward(61)
    hub.claim(owner="B")
    assert not hub.do(start, [(old, old.deliveries[0].seq)], hub.clock(), owner="A", alone=True)
    assert hub.count(tables.starts) == 0
    assert hub.the("k").alone == 0


def test_what_was_announced_and_given_back_is_in_no_doubt(hub):
    hub.post("k")
    (lane,) = hub.claim()
    hub.do(start, [(lane, lane.deliveries[0].seq)], hub.clock(), owner="worker", alone=True)
    assert hub.report(lane, kind="blind")
    (row,) = hub.deliveries()
    assert (row.state, row.attempts, row.alone) == ("pending", 0, 1)
    assert not hub.claim()[0].deliveries[0].started


def test_an_open_question_survives_being_given_back(hub, blind):
    hub.post("k")
    (lane,) = hub.claim()
    hub.do(start, [(lane, lane.deliveries[0].seq)], hub.clock(), owner="w", alone=False)
    _reclaim(hub, died=False, kinds=blind)
    (lane,) = hub.claim()
    assert hub.report(lane)
    (lane,) = hub.claim()
    assert lane.deliveries[0].started
    assert hub.report(lane, Ambiguous("in the middle"), kind="blind")
    assert (hub.the("k").state, hub.count(tables.starts)) == ("parked", 0)


def test_a_dead_delivery_is_never_claimed(hub):
    hub.post("k")
    hub.carry(Rejected("no"))
    hub.clock.forward(10**6)
    assert hub.claim() == []
