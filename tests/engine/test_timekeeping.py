"""A clock that jumps: leases of the living last, waits keep their length, and nothing waits for a wrong moment."""

import functools

import pytest
from sqlalchemy.exc import SQLAlchemyError

from bus.contract.clock import MICROSECONDS, SteadyClock
from bus.contract.verdict import RetryLater
from bus.engine import timekeeping
from bus.engine.timekeeping import Moves, Timekeeper
from bus.engine.writer import StoreUnavailable, Writer

HOUR = 3600 * MICROSECONDS
YEARS = 10 * 366 * 24 * HOUR


class Sources:
    """A wall clock and a ticking one, both turned by hand."""

    def __init__(self):
        self.wall, self.ticks = 1_800_000_000 * MICROSECONDS, 5 * MICROSECONDS

    def pass_(self, seconds):
        self.wall += int(seconds * MICROSECONDS)
        self.ticks += int(seconds * MICROSECONDS)


@pytest.fixture
def sources():
    return Sources()


@pytest.fixture
def clock(sources):
    return SteadyClock(lambda: sources.wall, lambda: sources.ticks)


@pytest.fixture
def writer(hub):
    writer = Writer(hub.database.writes)
    yield writer
    writer.close()


def test_a_jump_of_the_source_moves_nobody_by_itself(clock, sources):
    before = clock()
    sources.wall += HOUR
    sources.pass_(2)
    assert clock() == before + 2 * MICROSECONDS
    assert clock.ahead() == HOUR


@pytest.mark.parametrize("by", [HOUR, -HOUR, YEARS, -1_700_000_000 * MICROSECONDS])
async def test_our_leases_last_as_long_as_before_and_those_of_others_are_theirs(hub, writer, clock, sources, by):
    hub.post("a")
    (lane,) = hub.claim(owner="we")
    hub.post("b")
    hub.claim(owner="they")
    before = dict(_rows(hub, "SELECT owner, lease_until FROM lanes"))
    keeper = Timekeeper(clock, writer, owner="we", every=0)
    sources.wall += by
    assert await keeper.look() == by
    assert clock() == sources.wall
    assert dict(_rows(hub, "SELECT owner, lease_until FROM lanes")) == before | {"we": lane.lease_until + by}
    assert await keeper.look() == 0


async def test_small_differences_are_followed_without_a_word(hub, writer, clock, sources):
    sources.wall += MICROSECONDS // 2
    assert await Timekeeper(clock, writer, owner="we", every=0).look() == 0
    assert clock() == sources.wall


async def test_a_jump_that_could_not_be_stored_is_seen_again(hub, writer, clock, sources):
    keeper = Timekeeper(clock, writer, owner="we", every=0)
    sources.wall += HOUR
    writer.close()
    with pytest.raises(StoreUnavailable):
        await keeper.look()
    assert clock.ahead() == HOUR


async def test_a_database_that_is_away_leaves_us_our_time(writer):
    answers = iter([7])

    def source():
        for answer in answers:
            return answer
        raise SQLAlchemyError("away")

    assert await Timekeeper(SteadyClock(source), writer, owner="we", every=0).look() == 0


def test_after_a_jump_back_what_waits_waits_as_long_as_before(hub):
    for subject in ("a", "b"):
        hub.post(subject)
    for lane in hub.claim():
        hub.report(lane, RetryLater("busy", 600))
    hub.post("c")
    wait = max(_rows(hub, "SELECT due_at FROM deliveries"))[0] - hub.clock()
    hub.clock.forward(-3600)
    _move(hub, -HOUR)
    assert max(_rows(hub, "SELECT due_at FROM deliveries"))[0] - hub.clock() == wait
    assert sorted(_rows(hub, "SELECT lane, due_at FROM lanes")) == sorted(
        _rows(hub, "SELECT lane, due_at FROM deliveries")
    )
    assert hub.deliver_all() == ["c"]
    hub.clock.forward(wait / MICROSECONDS)
    assert len(hub.claim()) == 2


def test_the_second_time_only_what_a_late_process_stored_is_moved(hub):
    for subject in ("ours", "late"):
        hub.post(subject)
    ours, late = hub.claim()
    hub.report(ours, RetryLater("busy", 600))
    hub.clock.forward(3600)  # the time of a process that has not seen that the clock went back
    hub.report(late, RetryLater("busy", 5))
    hub.clock.forward(-3600)
    _move(hub, -HOUR, beyond=HOUR - 3 * MICROSECONDS)
    waits = sorted(due - hub.clock() for (due,) in _rows(hub, "SELECT due_at FROM deliveries"))
    assert waits == [5 * MICROSECONDS, 600 * MICROSECONDS]


def test_a_large_backlog_is_moved_in_portions(hub, monkeypatch):
    monkeypatch.setattr(timekeeping, "PORTION", 2)
    for number in range(5):
        hub.post(f"s{number}")
    hub.clock.forward(-3600)
    assert _move(hub, -HOUR) == 3
    assert len(hub.claim()) == 5


def test_what_only_a_wrong_clock_can_have_stored_is_due_now(hub):
    hub.clock.forward(10 * 366 * 86400)
    hub.post("a")
    hub.clock.forward(-10 * 366 * 86400)
    hub.post("b")
    (lane,) = hub.claim()
    hub.report(lane, RetryLater("busy", 3000))
    assert hub.claim() == []
    pull = functools.partial(timekeeping.pull_in, now=hub.clock(), seconds=timekeeping.farthest(hub.routing))
    assert hub.do(pull) == 1
    assert [lane.lane[-1] for lane in hub.claim()] == ["a"]


def test_a_jump_back_is_mended_at_once_and_again_when_all_have_seen_it(clock, sources):
    told = []
    moves = Moves(clock, told.append)
    clock.offset += HOUR
    assert moves.due(0.0) == []
    clock.offset -= 2 * HOUR
    moved = [moves.due(now) for now in (1.0, 1.5, 3.0, 5.0, 11.0, 99.0)]
    later = [2 * HOUR - 3 * MICROSECONDS, 2 * HOUR - 11 * MICROSECONDS]
    assert moved == [[(-2 * HOUR, 0)], [], [(-2 * HOUR, later[0])], [], [(-2 * HOUR, later[1])], []]
    assert told == [HOUR, -2 * HOUR]


def test_processes_that_disagree_go_by_the_database(postgres_store, monkeypatch):
    true = timekeeping.system_clock
    monkeypatch.setattr(timekeeping, "system_clock", lambda: true() + 300 * MICROSECONDS)
    fast = timekeeping.database_clock(postgres_store.reads)
    assert abs(fast() - true()) < 5 * MICROSECONDS
    monkeypatch.setattr(timekeeping, "system_clock", lambda: 1 + true() // 10**6 * 10**6)
    near = timekeeping.database_clock(postgres_store.reads)
    assert near() % 10**6 == 1, "below a second the machine's own time is left alone"


def _rows(hub, query):
    with hub.database.reads.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def _move(hub, by, beyond=0):
    """Move all portions; answers how many it took."""
    after, portions = 0, 0
    while True:
        portions += 1
        move = functools.partial(timekeeping.move_due_times, now=hub.clock(), by=by, beyond=beyond, after=after)
        after = hub.do(move)
        if not after:
            return portions
