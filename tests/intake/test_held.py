"""A snapshot that would delete too much waits, whole, for a person; what it would do is decided before any write."""

import pytest

from bus.contract.errors import Refused
from bus.engine import feed_state, held
from bus.engine import intake as intake_module
from tests.intake.hub import CATALOGUE, SPPBJ, Hub, letter, letters, numbers
from tests.intake.reader import Reader, Watched
from tests.services.waiting import wait_until


def hold(hub, content, name="snapshot.json"):
    """Take a file that is held; gives the snapshot's id."""
    with pytest.raises(Refused) as refused:
        hub.take(SPPBJ, content, name)
    assert (refused.value.problem.slug, refused.value.problem.status) == ("snapshot-held", 409)
    return refused.value.problem.more["snapshot"]


def refused_as(slug, act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    assert refused.value.problem.slug == slug


@pytest.mark.parametrize(
    ("size", "left", "is_held"),
    [
        (210, 189, False),  # 21 of 210: more than 20 rows, exactly 10 %
        (210, 188, True),  # 22 of 210
        (50, 30, False),  # 20 of 50: 40 %, but only 20 rows
        (50, 29, True),
        (21, 1, False),
        (22, 1, True),
    ],
)
def test_more_than_a_tenth_and_more_than_twenty_rows(hub, size, left, is_held):
    hub.counts(SPPBJ, letters(*range(size)))
    content = letters(*range(left))
    if is_held:
        hold(hub, content)
    else:
        assert hub.counts(SPPBJ, content)["deleted"] == size - left
    assert numbers(hub) == list(range(size if is_held else left))


def test_a_tenth_is_a_tenth_of_each_scope(hub):
    hub.counts(SPPBJ, letters(*range(300), kd_klpd="D1") + letters(*range(300, 350), kd_klpd="D2"))
    hold(hub, letters(*range(300), kd_klpd="D1") + letters(*range(300, 329), kd_klpd="D2"))
    assert len(numbers(hub)) == 350


def test_refused_rows_protect_before_it_is_counted(hub):
    hub.counts(SPPBJ, letters(*range(30)))
    second = letters(*range(5)) + letters(*range(5, 30), harga_final="?")
    assert hub.counts(SPPBJ, second) == {"rows": 30, "unchanged": 5, "rejected": 25}


FILE = (letter(0, harga_final=9), *letters(1, 2, 3), letter(99), letter(4, harga_final="?"))


class TestAHeldSnapshot:
    """Thirty letters stand; the held file deletes 25, changes one, brings a new one and a bad row."""

    @pytest.fixture
    def standing(self, either_hub):
        either_hub.counts(SPPBJ, letters(*range(30)))
        return either_hub

    def test_leaves_no_trace_but_itself(self, standing):
        before = standing.trace()
        with pytest.raises(Refused) as refused:
            standing.take(SPPBJ, FILE)
        more = dict(refused.value.problem.more)
        assert standing.trace() == before
        assert standing.snapshots() == {more.pop("snapshot"): "held"}
        assert more == {"deletions": 25, "size": 30}
        assert f"arus snapshots approve {next(iter(standing.snapshots()))}" in refused.value.problem.detail
        (told,) = standing.audited("snapshot-held")
        assert told.actor == "tester"

    def test_approved_does_what_it_says(self, standing):
        snapshot = hold(standing, FILE)
        assert standing.approve(snapshot) == {
            "rows": 6, "created": 1, "changed": 1, "unchanged": 3, "deleted": 25, "rejected": 1,
        }  # fmt: skip
        assert numbers(standing) == [0, 1, 2, 3, 4, 99]
        assert standing.snapshots() == {snapshot: "approved"}
        (told,) = standing.audited("snapshot-approved")
        assert told.actor == "chief"
        assert len(standing.rejections()) == 1

    def test_refused_does_nothing(self, standing):
        snapshot = hold(standing, FILE)
        before = standing.trace()
        standing.refuse(snapshot)
        assert standing.trace() == before
        assert standing.snapshots() == {snapshot: "refused"}

    @pytest.mark.parametrize("first", ["approve", "refuse"])
    def test_is_decided_once(self, standing, first):
        snapshot = hold(standing, FILE)
        getattr(standing, first)(snapshot)
        before, state = standing.trace(), standing.snapshots()
        refused_as("not-held", standing.approve, snapshot)
        refused_as("not-held", standing.refuse, snapshot)
        refused_as("not-found", standing.approve, "nothing")
        assert (standing.trace(), standing.snapshots()) == (before, state)

    def test_makes_way_for_a_newer_one_that_is_held(self, standing):
        older, newer = hold(standing, FILE), hold(standing, letters(0))
        assert standing.snapshots() == {older: "replaced", newer: "held"}
        refused_as("not-held", standing.approve, older)
        standing.approve(newer)
        assert numbers(standing) == [0]

    def test_makes_way_for_a_newer_one_that_is_taken(self, standing):
        snapshot = hold(standing, FILE)
        standing.counts(SPPBJ, letters(*range(29)))
        assert standing.snapshots() == {snapshot: "replaced"}
        refused_as("not-held", standing.approve, snapshot)
        refused_as("not-held", standing.refuse, snapshot)
        assert len(numbers(standing)) == 29

    def test_stays_where_a_file_of_another_scope_comes(self, standing):
        snapshot = hold(standing, FILE)
        standing.counts(SPPBJ, letters(50, tahun_anggaran=2026))
        assert standing.snapshots() == {snapshot: "held"}
        assert standing.approve(snapshot)["deleted"] == 25
        assert numbers(standing) == [0, 1, 2, 3, 4, 50, 99]

    def test_stays_where_mended_rows_come_which_are_no_snapshot(self, standing):
        snapshot = hold(standing, FILE)
        row = letter(60)
        names, cells = ",".join([*row, "baris", "kolom", "alasan", "reason"]), ",".join(map(str, row.values()))
        assert standing.counts(SPPBJ, f"{names}\n{cells},2,,,\n", "b.csv") == {"rows": 1, "created": 1}
        assert standing.snapshots() == {snapshot: "held"}


def test_an_approval_that_waited_while_a_newer_snapshot_came_does_nothing(hub):
    """The held one was looked at; then the feed was busy with a newer file, which replaced it."""
    hub.counts(SPPBJ, letters(*range(30)))
    snapshot = hold(hub, letters(0))
    hub.writer.call(lambda c: feed_state.take_lease(c, *SPPBJ, "another", hub.clock()))
    clock = Watched(hub.clock)
    second = Hub(hub.database, clock)
    approval = Reader(lambda: second.approve(snapshot))
    try:
        wait_until(lambda: clock.asked, what="the approval waits for the feed")
        scopes = [("D107", "2025")]
        hub.writer.call(lambda c: held.replace(c, CATALOGUE.feed(*SPPBJ), scopes, actor="another", now=hub.clock()))
        hub.writer.call(lambda c: feed_state.end_lease(c, *SPPBJ, "another"))
        refused_as("not-held", approval.answer)
        assert len(numbers(hub)) == 30
        assert hub.snapshots() == {snapshot: "replaced"}
    finally:
        second.close()


def test_an_approval_that_crashed_is_still_held_and_finishes_when_given_again(hub, monkeypatch):
    monkeypatch.setattr(intake_module, "PORTION", 5)
    hub.counts(SPPBJ, letters(*range(30)))
    snapshot = hold(hub, letters(0))
    forget, calls = feed_state.forget, []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise RuntimeError("the machine stops here")
        forget(*arguments)

    monkeypatch.setattr(feed_state, "forget", failing)
    with pytest.raises(RuntimeError, match="stops here"):
        hub.approve(snapshot)
    assert hub.snapshots() == {snapshot: "held"}
    assert len(numbers(hub)) == 20
    assert hub.approve(snapshot)["deleted"] == 19
    assert numbers(hub) == [0]
    assert len([one for one in hub.messages() if one.op == "delete"]) == 29
