"""Replays by filter: in order, at a rate, stoppable, once for each delivery, also after a crash."""

import json

import pytest
from sqlalchemy import update

from bus.contract.errors import Refused
from bus.contract.verdict import Delivered, Rejected
from bus.engine import replay_jobs, restore, tables
from bus.engine.replay_filter import ReplayFilter
from tests.engine.hub import LINE, child_route, incoming

DEAD = ReplayFilter(state="dead")


def _dead(hub, count, versions=1, reason="no"):
    """Post ``versions`` of each of ``count`` records, and let the destination refuse them all."""
    for _ in range(versions):
        for start in range(0, count, 100):
            hub.accept(*[incoming(f"k{number}") for number in range(start, min(start + 100, count))])
        while claimed := hub.claim(width=200):
            for lane in claimed:
                hub.report(lane, Rejected(reason))


def _begin(hub, wanted=DEAD, *, overwrite=False, rate=None):
    return hub.do(
        replay_jobs.create, wanted, overwrite=overwrite, rate=rate, actor="person", reason="mended", now=hub.clock()
    )


def _job(hub, id):
    return hub.do(replay_jobs.find, id)


def _portion(hub, id, owner="one", **more):
    seqs, upto = hub.do(replay_jobs.candidates, _job(hub, id), _job(hub, id).cursor)
    return hub.do(replay_jobs.advance, id, seqs, upto, owner=owner, now=hub.clock(), **more)


def _finish(hub, id):
    portions = 1
    while _portion(hub, id).going:
        portions += 1
    return portions


def _counts(hub, id):
    row = _job(hub, id)
    return row.resumed, row.renewed, row.refused, row.skipped


def test_all_that_the_filter_means_are_resumed_in_portions_and_the_others_stay(hub):
    _dead(hub, 250)
    hub.do(lambda c: c.execute(update(tables.deliveries).where(tables.deliveries.c.seq == 7).values(reason="else")))
    id = _begin(hub, ReplayFilter(destination="e-project", type="budget.line", source="e-budgeting", reason="no"))
    assert _finish(hub, id) == 3
    assert _counts(hub, id) == (249, 0, 0, 0)
    assert [row.subject for row in hub.deliveries() if row.state == "dead"] == ["k6"]
    assert (_job(hub, id).state, _job(hub, id).ended_at) == ("done", hub.clock())
    told = [json.loads(row.detail) for row in hub.audited("replayed")]
    assert sum(len(one["sent"]) for one in told) == 249
    assert {(row.actor, json.loads(row.detail)["replay"]) for row in hub.audited("replayed")} == {("person", id)}
    assert len(hub.deliver_all()) == 249


def test_the_order_of_each_lane_is_kept_also_over_portions(hub, monkeypatch):
    monkeypatch.setattr(replay_jobs, "PORTION", 3)
    _dead(hub, 4, versions=3)
    id = _begin(hub)
    order = []
    while True:
        going = _portion(hub, id).going
        for lane in hub.claim():  # while the job goes on, the destination takes what is there
            order += [(one.message.subject, one.sequence) for one in lane.deliveries]
            assert hub.report(lane, *[Delivered()] * len(lane.deliveries))
        if not going:
            break
    for number in range(4):
        assert [sequence for subject, sequence in order if subject == f"k{number}"] == [1, 2, 3]
    assert set(hub.states()) == {"delivered"}


def test_of_delivered_ones_only_the_newest_version_goes_unless_told(hub):
    for _ in range(2):
        hub.accept(*[incoming(f"k{number}") for number in range(3)])
    hub.deliver_all()
    id = _begin(hub, ReplayFilter(state="delivered"))
    _finish(hub, id)
    assert _counts(hub, id) == (0, 3, 3, 0)
    assert len(hub.deliver_all()) == 3
    assert {row.version for row in hub.rows(tables.replicas)} == {2}
    id = _begin(hub, ReplayFilter(state="delivered", subject="k0"), overwrite=True)
    _finish(hub, id)
    assert _counts(hub, id) == (0, 2, 0, 1)  # of the newest there are two deliveries: the last speaks for it
    (lane,) = hub.claim()
    assert [one.version for one in lane.deliveries] == [1, 2]


def test_what_a_job_makes_is_not_replayed_by_it(hub):
    hub.post("k")
    hub.deliver_all()
    id = _begin(hub, ReplayFilter(state="delivered"))
    seqs, upto = hub.do(replay_jobs.candidates, _job(hub, id), 0)
    assert hub.do(replay_jobs.advance, id, seqs, upto, owner="one", now=hub.clock()).going is False
    hub.deliver_all()
    assert hub.do(replay_jobs.candidates, _job(hub, id), 0) == ([1], 1)
    assert hub.states() == ["delivered", "delivered"]


def test_what_changed_since_it_was_read_is_left_alone(hub):
    _dead(hub, 2)
    id = _begin(hub)
    seqs, upto = hub.do(replay_jobs.candidates, _job(hub, id), 0)
    hub.replay(hub.deliveries()[0].id)
    hub.deliver_all()  # delivered now: the filter means dead ones, and no second effect
    hub.do(replay_jobs.advance, id, seqs, upto, owner="one", now=hub.clock())
    assert _counts(hub, id) == (1, 0, 0, 1)
    assert hub.count(tables.deliveries) == 2


def test_a_version_accepted_meanwhile_is_not_overwritten(hub):
    hub.post("k")
    hub.deliver_all()
    id = _begin(hub, ReplayFilter(state="delivered"))
    seqs, upto = hub.do(replay_jobs.candidates, _job(hub, id), 0)
    hub.post("k")
    hub.do(replay_jobs.advance, id, seqs, upto, owner="one", now=hub.clock())
    assert _counts(hub, id) == (0, 0, 1, 0)


def test_the_rate_is_kept_by_the_store_not_by_who_runs_it(hub):
    _dead(hub, 10)
    id = _begin(hub, rate=2.0)
    step = _portion(hub, id)
    assert (_counts(hub, id)[0], step.going) == (2, True)
    assert step.wait == pytest.approx(0.5)
    assert _portion(hub, id).wait == pytest.approx(0.5)
    assert _counts(hub, id)[0] == 2
    hub.clock.forward(0.5)
    _portion(hub, id)
    assert _counts(hub, id)[0] == 3
    hub.clock.forward(3600)  # an idle hour is not caught up in one moment
    _portion(hub, id)
    assert _counts(hub, id)[0] == 5


def test_after_stop_nothing_more_is_set_going(hub, monkeypatch):
    monkeypatch.setattr(replay_jobs, "PORTION", 5)
    _dead(hub, 20)
    id = _begin(hub)
    seqs, upto = hub.do(replay_jobs.candidates, _job(hub, id), 0)
    assert hub.do(replay_jobs.advance, id, seqs, upto, owner="one", now=hub.clock()).going
    row = hub.do(replay_jobs.stop, id, actor="person", reason="enough", now=hub.clock())
    assert (row.state, row.resumed) == ("stopped", 5)
    assert not hub.do(replay_jobs.advance, id, seqs, upto, owner="one", now=hub.clock()).going
    assert hub.states().count("dead") == 15
    assert hub.do(replay_jobs.free, "one", hub.clock()) == []
    again = hub.do(replay_jobs.stop, id, actor="person", reason="enough", now=hub.clock())
    assert again == row
    assert len(hub.audited("replay stopped")) == 1
    with pytest.raises(Refused):
        hub.do(replay_jobs.stop, "unknown", actor="person", reason="x", now=hub.clock())


def test_a_job_whose_process_died_is_gone_on_with_where_it_stood(hub, monkeypatch):
    monkeypatch.setattr(replay_jobs, "PORTION", 5)
    _dead(hub, 12)
    id = _begin(hub)
    _portion(hub, id, "one")
    assert hub.do(replay_jobs.free, "two", hub.clock()) == []
    seqs, upto = hub.do(replay_jobs.candidates, _job(hub, id), 0)
    assert not hub.do(replay_jobs.advance, id, seqs, upto, owner="two", now=hub.clock()).going
    assert _counts(hub, id)[0] == 5
    hub.clock.forward(16)
    assert [job.id for job in hub.do(replay_jobs.free, "two", hub.clock())] == [id]
    while hub.do(replay_jobs.advance, id, seqs, upto, owner="two", now=hub.clock()).going:
        pass
    assert _counts(hub, id) == (12, 0, 0, 0)
    assert not hub.do(replay_jobs.advance, id, seqs, upto, owner="one", now=hub.clock()).going  # it slept, and wakes


def test_a_failed_job_says_so_and_rests(hub):
    _dead(hub, 1)
    id = _begin(hub)
    hub.do(replay_jobs.fail, id, error="KeyError", now=hub.clock())
    assert (_job(hub, id).state, _job(hub, id).error) == ("failed", "KeyError")
    assert hub.do(replay_jobs.free, "one", hub.clock()) == []
    assert len(hub.audited("replay failed")) == 1


def test_after_a_restore_no_replay_goes_on_by_itself(hub):
    """What it did after the backup is not known: it would do it again, with new keys."""
    _dead(hub, 2)
    running, stopped = _begin(hub), _begin(hub)
    hub.do(replay_jobs.stop, stopped, actor="person", reason="enough", now=hub.clock())
    hub.do(restore._let_go, hub.clock())
    assert [_job(hub, id).state for id in (running, stopped)] == ["failed", "stopped"]
    assert "restored" in _job(hub, running).error


def test_a_reason_means_its_cause_whatever_its_numbers(hub):
    words = ("100% wrong at 7", "100% wrong at 12", "100 wrong at 7", "100% wrong at line 7", "100% Wrong at 7")
    hub.accept(*[incoming(f"k{number}") for number in range(len(words))])
    for lane, word in zip(hub.claim(), words, strict=True):
        hub.report(lane, Rejected(word))
    id = _begin(hub, ReplayFilter(reason="100% wrong at 3"))
    _finish(hub, id)
    assert _counts(hub, id) == (2, 0, 0, 0)


def test_a_reason_may_be_what_a_parked_one_waits_for(hub):
    hub.use([LINE, child_route("e-project", "budget.line")])
    hub.accept(incoming("child", type="project.package", data={"needs": {"budget.line": "line"}}))
    _dead(hub, 1)
    id = _begin(hub, ReplayFilter(reason="parent"))
    _finish(hub, id)
    assert _counts(hub, id) == (1, 0, 0, 0)
    assert hub.deliver_all() == ["child"]


def test_acceptance_times_bound_it(hub):
    hub.post("a")
    hub.clock.forward(10)
    middle = hub.clock()
    hub.post("b")
    for lane in hub.claim():
        hub.report(lane, Rejected("no"))
    for wanted, subject in ((ReplayFilter(until=middle), "a"), (ReplayFilter(since=middle), "b")):
        seqs, _ = hub.do(replay_jobs.candidates, _job(hub, _begin(hub, wanted)), 0)
        assert [row.subject for row in hub.deliveries() if row.seq in seqs] == [subject]


def test_many_are_read_page_by_page(hub, monkeypatch):
    monkeypatch.setattr(replay_jobs, "READ", 4)
    _dead(hub, 10)
    job = _job(hub, _begin(hub))
    assert hub.do(replay_jobs.candidates, job, 0) == ([1, 2, 3, 4], 4)
    assert hub.do(replay_jobs.candidates, job, 8) == ([9, 10], 10)
    assert _finish(hub, job.id) == 3


def test_a_filter_is_stored_whole():
    full = ReplayFilter("d", "t", "s", "k", "dead", 1, 2, "r", ("a", "b"))
    assert ReplayFilter.of(full.text()) == full
    assert ReplayFilter().empty
    assert not full.empty
