"""Polled feeds: a page and its cursor are one transaction, and no fault of one source stops anything else."""

import asyncio
import contextlib
import threading

import pytest

from bus.contract.feed import Page, SourceUnavailable
from bus.engine import feed_state, polling
from bus.engine.polling import Poller
from bus.engine.writer import StoreUnavailable
from tests.intake.hub import CATALOGUE, PAKET, package

FEED = CATALOGUE.feed(*PAKET)
_tick = threading.Event()
"""Never set: waiting for it is a pause in a thread."""


class Source:
    """Packages by change number; a page holds two. Told faults are raised first, one a fetch."""

    def __init__(self, *packages):
        self.packages = list(packages)
        self.faults = []
        self.asked = []

    async def fetch(self, cursor):
        self.asked.append(cursor)
        if self.faults:
            raise self.faults.pop(0)
        at = int(cursor or 0)
        rows = self.packages[at : at + 2]
        return Page(rows, str(at + len(rows)), more=at + len(rows) < len(self.packages))

    async def close(self):
        pass


@pytest.fixture
def rests(monkeypatch):
    """How long each rest would have been; none of them takes any time."""
    told = []
    sleep = asyncio.sleep

    async def rest(seconds):
        told.append(seconds)
        await sleep(0)

    monkeypatch.setattr(polling.asyncio, "sleep", rest)
    return told


@contextlib.asynccontextmanager
async def polled(hub, source, report=lambda line: None, intake=None):
    """The source is polled inside."""
    task = asyncio.create_task(Poller(FEED, source, intake or hub.intake, 5.0, report).run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition, what):
    """Wait without ``asyncio.sleep``, which is told to take no time here."""
    end = asyncio.get_running_loop().time() + 30
    while not condition():
        assert asyncio.get_running_loop().time() < end, what
        await asyncio.to_thread(_tick.wait, 0.005)


def names(hub):
    return sorted(data["code"] for data in hub.records("project.package").values())


async def test_pages_are_fetched_at_once_and_then_in_the_interval(either_hub, rests):
    source = Source(*map(package, range(5)))
    async with polled(either_hub, source):
        await until(lambda: len(rests) >= 4, "a rest after the last page")
    assert source.asked[:4] == [None, "2", "4", "5"]
    assert rests[:4] == [0.0, 0.0, 5.0, 5.0]
    assert names(either_hub) == [f"P{number}" for number in range(5)]
    assert either_hub.intake.cursor(FEED) == "5"


async def test_a_hub_that_starts_again_goes_on_where_it_was(hub, rests):
    source = Source(*map(package, range(4)))
    async with polled(hub, source):
        await until(lambda: "4" in source.asked, "the last page")
    source.packages.append(package(9))
    source.asked.clear()
    async with polled(hub, source):
        await until(lambda: "P9" in names(hub), "the new package")
    assert source.asked[0] == "4"
    assert len(hub.messages()) == 5


async def test_a_page_that_repeats_itself_makes_nothing_new(hub, rests, monkeypatch):
    """The crash came after the rows and before the cursor; the source gives the page again."""
    source = Source(*map(package, range(3)))
    advance, faults = feed_state.advance, [StoreUnavailable("disk full")]

    def failing(*arguments):
        if faults:
            raise faults.pop()
        advance(*arguments)

    monkeypatch.setattr(feed_state, "advance", failing)
    lines = []
    async with polled(hub, source, lines.append):
        await until(lambda: "3" in source.asked, "the last page")
    assert source.asked[:3] == [None, None, "2"]
    assert [one.version for one in hub.messages()] == [1, 1, 1]
    assert rests[0] == 10.0
    assert lines == ["feed e-project/paket waits: disk full"]


async def test_a_source_that_is_away_is_asked_less_and_less_and_then_gone_on_with(hub, rests):
    source, lines = Source(package(1)), []
    source.faults = [SourceUnavailable("503 from e-Project")] * 6
    async with polled(hub, source, lines.append):
        await until(lambda: len(rests) >= 7, "the source is back")
    assert rests[:7] == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0, 5.0]
    assert names(hub) == ["P1"]
    assert lines == ["feed e-project/paket waits: 503 from e-Project"] * 6


async def test_a_page_that_the_hub_fails_on_stops_no_other_feed(hub, rests):
    source, lines = Source(package(1)), []
    source.faults = [KeyError("Budi Santoso")]
    async with polled(hub, source, lines.append) as task:
        await until(lambda: names(hub) == ["P1"], "the next try")
        assert not task.done()
    assert rests[0] == 60.0
    assert lines[0].startswith("feed e-project/paket waits: KeyError at test_polling.py:")
    assert "Budi" not in lines[0]


async def test_bad_packages_are_kept_and_the_good_go_on(hub, rests):
    source = Source(package(1, nilai="banyak"), package(2), package(1))
    async with polled(hub, source):
        await until(lambda: len(rests) >= 2, "both pages")
    assert names(hub) == ["P1", "P2"]
    assert [(row.file, row.row) for row in hub.rejections()] == [(None, 1)]


async def test_a_page_deletes_nothing(hub, rests):
    source = Source(package(1), package(2))
    async with polled(hub, source):
        await until(lambda: len(rests) >= 1, "the first page")
    source.packages += [package(1, nilai="1.00"), package(3)]
    async with polled(hub, source):
        await until(lambda: "P3" in names(hub), "the second page")
    assert names(hub) == ["P1", "P2", "P3"]
    versions = [(one.subject, one.version) for one in hub.messages()]
    assert sorted(versions) == [("e-project:P1", 1), ("e-project:P1", 2), ("e-project:P2", 1), ("e-project:P3", 1)]
