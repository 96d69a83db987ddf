"""One feed, one reader: a second one waits for its turn, and a dead one's turn ends by itself."""

import threading

import pytest

from bus.contract.errors import Refused
from bus.engine import feed_state
from bus.engine import intake as intake_module
from bus.engine.database import open_database
from tests.intake.hub import SPPBJ, Hub, letters, numbers
from tests.intake.reader import Reader, Watched
from tests.services.waiting import wait_until


def take_lease(hub, owner="another"):
    return hub.writer.call(lambda c: feed_state.take_lease(c, *SPPBJ, owner, hub.clock()))


def end_lease(hub, owner="another"):
    hub.writer.call(lambda c: feed_state.end_lease(c, *SPPBJ, owner))


@pytest.fixture
def second(either_hub):
    """Another reader with a store connection of its own, and a clock that tells whether it was asked."""
    database = open_database(either_hub.database.url, synchronous="OFF")
    hub = Hub(database, Watched(either_hub.clock))
    yield hub
    hub.close()
    database.close()


def test_a_second_reader_waits_and_then_has_its_turn(either_hub, second):
    assert take_lease(either_hub)
    reader = Reader(lambda: second.counts(SPPBJ, letters(1)))
    wait_until(lambda: second.clock.asked > 2, what="the second reader has asked more than once")
    assert numbers(either_hub) == []
    end_lease(either_hub)
    assert reader.answer() == {"rows": 1, "created": 1}


def test_other_feeds_are_not_held_up(either_hub):
    take_lease(either_hub)
    assert either_hub.counts(("e-procurement", "nontender-kontrak"), letters(1)) == {"rows": 1, "rejected": 1}


def test_the_turn_of_a_dead_reader_ends_by_itself(either_hub, second):
    take_lease(either_hub)
    reader = Reader(lambda: second.counts(SPPBJ, letters(1)))
    wait_until(lambda: second.clock.asked > 1, what="the second reader has asked")
    either_hub.clock.forward(feed_state.LEASE / 1_000_000 + 1)
    assert reader.answer() == {"rows": 1, "created": 1}


def test_patience_ends_with_a_refusal_that_says_when_to_come_again(hub, monkeypatch):
    monkeypatch.setattr(intake_module, "BUSY_PATIENCE", 0.0)
    take_lease(hub)
    before = hub.trace()
    with pytest.raises(Refused) as refused:
        hub.take(SPPBJ, letters(1))
    assert (refused.value.problem.slug, refused.value.problem.status, refused.value.retry_after) == (
        "feed-busy", 503, 10,
    )  # fmt: skip
    assert hub.trace() == before
    assert not take_lease(hub, "a third"), "the refused reader must not end another's turn"


def test_a_reader_that_lost_its_turn_stops_and_its_file_may_be_taken_again(hub, monkeypatch):
    """It slept longer than its lease between two portions; another has the feed now."""
    monkeypatch.setattr(intake_module, "PORTION", 5)
    remember, portions = feed_state.remember, []

    def slow(connection, *arguments):
        remember(connection, *arguments)
        portions.append(arguments)
        if len(portions) == 2:
            hub.clock.forward(60)
            feed_state.take_lease(connection, *SPPBJ, "another", hub.clock())

    monkeypatch.setattr(feed_state, "remember", slow)
    with pytest.raises(Refused) as refused:
        hub.take(SPPBJ, letters(*range(20)))
    assert refused.value.problem.slug == "feed-busy"
    assert numbers(hub) == list(range(10))
    assert not hub.audited("file-taken")
    end_lease(hub)
    assert hub.counts(SPPBJ, letters(*range(20))) == {"rows": 20, "created": 10, "unchanged": 10}
    assert len(hub.messages()) == 20


def test_two_that_take_the_same_file_at_once_make_each_record_once(either_hub, second, monkeypatch):
    monkeypatch.setattr(intake_module, "PORTION", 7)
    start = threading.Barrier(2)

    def take(hub):
        start.wait(timeout=30)
        return hub.counts(SPPBJ, letters(*range(40)))

    readers = [Reader(lambda hub=hub: take(hub)) for hub in (either_hub, second)]
    answers = sorted((reader.answer() for reader in readers), key=sorted)
    assert answers == [{"rows": 40, "created": 40}, {"rows": 40, "unchanged": 40}]
    assert [one.version for one in either_hub.messages()] == [1] * 40
