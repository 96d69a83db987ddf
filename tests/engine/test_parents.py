"""Required parents: who waits, for what, where, and who is set free."""

from bus.contract.verdict import Delivered, Rejected
from bus.engine import parents, tables
from tests.engine.hub import LINE, child_route, incoming

CHILD = {"needs": {"budget.line": "line"}}


def _child(subject="child", **needs):
    wanted = {kind.replace("_", "."): key for kind, key in needs.items()} or CHILD["needs"]
    return incoming(subject, type="project.package", data={"needs": wanted})


def test_a_child_waits_until_its_parent_is_delivered_at_the_same_destination(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    (outcome,) = hub.accept(_child())
    assert outcome.parked
    row = hub.the("child")
    assert (row.state, row.parked, row.waits, row.waits_at) == ("parked", "parent", "budget.line:line", "e-project")
    hub.post("line")
    assert hub.states("child") == ["parked"], "accepted is not yet delivered"
    assert hub.deliver_all() == ["line", "child"]


def test_a_child_waits_for_existence_where_its_parent_is_not_routed(hub):
    hub.use([LINE, child_route("e-delivery", "budget.line")])
    hub.accept(_child())
    assert hub.the("child").waits_at is None
    hub.post("line")
    assert hub.states("child") == ["pending"]
    assert hub.deliver_all("e-delivery") == ["child"]


def test_a_parent_in_the_same_batch_counts(hub):
    hub.use([LINE, child_route("e-delivery", "budget.line")])
    (before, _, after) = hub.accept(_child("before"), incoming("line"), _child("after"))
    assert sorted(hub.deliver_all("e-delivery")) == ["after", "before"]
    assert not after.parked or not before.parked or hub.states("after") == ["delivered"]


def test_a_parent_that_is_there_parks_nobody(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.post("line")
    hub.deliver_all()
    assert not hub.accept(_child())[0].parked


def test_a_refused_parent_leaves_its_child_parked(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(_child())
    hub.post("line")
    hub.carry(Rejected("no"))
    assert hub.states("child") == ["parked"]
    hub.post("line")
    assert hub.deliver_all() == ["line", "child"]


def test_a_deleted_parent_is_no_parent(hub):
    hub.use([LINE, child_route("e-delivery", "budget.line")])
    hub.post("line")
    hub.post("line", op="delete")
    assert hub.accept(_child())[0].parked


def test_a_deleted_child_needs_no_parent_and_one_without_a_key_neither(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(incoming("a", type="project.package", op="delete"), incoming("b", type="project.package"))
    assert hub.states() == ["pending", "pending"]


def test_a_parked_child_holds_its_lane_and_no_other(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(_child(), incoming("child", type="project.package"), incoming("other", type="project.package"))
    assert hub.lane("child", type="project.package").held
    assert hub.deliver_all() == ["other"]
    hub.post("line")
    assert hub.deliver_all() == ["line", "child", "child"]


def test_a_child_behind_another_of_its_lane_is_not_sent_before_its_parent(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(incoming("child", type="project.package"), _child())
    assert hub.deliver_all() == ["child"]
    assert hub.states("child") == ["delivered", "parked"]


def test_a_child_of_two_parents_waits_for_both(hub):
    hub.use([LINE, child_route("e-project", "budget.line", "planning.proposal")])
    hub.accept(_child(budget_line="line", planning_proposal="opd"))
    hub.post("line")
    hub.deliver_all()
    row = hub.the("child")
    assert (row.state, row.waits) == ("parked", "planning.proposal:opd")
    hub.post("opd", type="planning.proposal")
    assert hub.deliver_all() == ["child"]


def test_only_who_waited_for_this_parent_is_set_free(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(_child("one", budget_line="a"), _child("two", budget_line="b"))
    hub.post("a")
    assert hub.deliver_all() == ["a", "one"]
    assert hub.states("two") == ["parked"]


def test_a_child_freed_behind_a_leased_lane_is_sent_after_it(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(incoming("child", type="project.package"), _child(), incoming("line"))
    lanes = {lane.deliveries[0].message.subject: lane for lane in hub.claim()}
    assert len(lanes["child"].deliveries) == 1
    hub.report(lanes["line"], Delivered())
    assert hub.claim() == [], "the lane is still leased"
    hub.report(lanes["child"], Delivered())
    assert hub.deliver_all() == ["child"]


def test_the_sweep_frees_a_child_that_missed_its_parent(hub):
    """Two processes may park a child in the same instant in which its parent arrives."""
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(*[_child(f"child {number}") for number in range(5)])
    hub.use([LINE])  # this process knows no children, so it releases none
    hub.post("line")
    hub.deliver_all()
    hub.use([LINE, child_route("e-project", "budget.line")])
    assert hub.states("child 0") == ["parked"]
    freed, after = hub.do(parents.sweep, hub.routing, hub.clock(), limit=2)
    assert (freed, after > 0) == (2, True)
    freed, after = hub.do(parents.sweep, hub.routing, hub.clock(), after=after)
    assert (freed, after) == (3, 0)
    assert len(hub.deliver_all()) == 5
    assert hub.count(tables.deliveries) == 6
