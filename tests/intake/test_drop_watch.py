"""Dropped files: taken, refused, held or given back, each to its place, by the real drop folder."""

import asyncio
import contextlib
import csv
import json

import pytest

from bus.engine import feed_state
from bus.engine import intake as intake_module
from bus.engine.intake import Intake
from bus.engine.polling import DropWatch
from bus.engine.writer import StoreUnavailable
from bus.entrypoints.links import clerk_file
from tests.connectors.kit.dropping import Inbox
from tests.intake.hub import CATALOGUE, SPPBJ, as_bytes, as_csv, letter, letters, numbers
from tests.services.waiting import wait_until_async

FEED = CATALOGUE.feed(*SPPBJ)
DAY = "done/2026-02-03"


class Counter:
    """A drop folder, the watch over it, and the lines that the watch told."""

    def __init__(self, hub, folder):
        self.inbox = Inbox(folder, suffixes=(".csv", ".json"), settle_seconds=0, unterminated_seconds=0)
        self.lines = []
        self.watch = DropWatch(FEED, self.inbox.hub, hub.intake, 0.01, clerk_file, self.lines.append)

    def drop(self, name, content):
        self.inbox.put(name, as_bytes(content))

    def report(self, name):
        return json.loads((self.inbox.folder / "refused" / f"{name}.report.txt").read_text("utf-8"))

    def names(self, below=""):
        return self.inbox.names(below) if (self.inbox.folder / below).is_dir() else []


@pytest.fixture
def counter(hub, tmp_path):
    return Counter(hub, tmp_path / "drop")


def test_a_good_file_is_archived(hub, counter):
    counter.drop("a.json", letters(1, 2))
    assert counter.watch.step()
    assert not counter.watch.step()
    assert numbers(hub) == [1, 2]
    assert (counter.names(), counter.names(DAY)) == ([], ["a.json"])
    assert counter.lines == []
    assert hub.audited("file-taken")[0].actor == "drop folder"


def test_refused_rows_lie_beside_it_for_the_clerk_and_come_back_mended(hub, counter):
    counter.drop("a.csv", as_csv([letter(1), letter(2, harga_final="?")]))
    assert counter.watch.step()
    assert counter.names(DAY) == ["a.csv", "a.errors.csv"]
    errors = counter.inbox.folder / DAY / "a.errors.csv"
    (row,) = csv.DictReader(errors.read_text("utf-8-sig").splitlines())
    assert (row["no_sppbj"], row["baris"], row["kolom"]) == ("2/SPPBJ", "3", "harga_final")
    assert row["alasan"]
    assert row["reason"]
    counter.drop("a-2.csv", errors.read_bytes().replace(b",?,", b",5,"))
    assert counter.watch.step()
    assert numbers(hub) == [1, 2]
    assert counter.names(DAY) == ["a-2.csv", "a.csv", "a.errors.csv"]


def test_a_file_that_cannot_be_read_is_set_aside_with_the_reason(hub, counter):
    counter.drop("a.json", b'[{"kd_nontender": ')
    assert counter.watch.step()
    assert (counter.names(), counter.names("refused")) == ([], ["a.json", "a.json.report.txt"])
    report = counter.report("a.json")
    assert report["type"].endswith("/not-json")
    assert report["errors"][0]["indonesian"]
    assert counter.lines == ["file for e-procurement/nontender-sppbj: not-json"]


def test_a_held_file_is_done_with_because_the_hub_keeps_it(hub, counter):
    hub.counts(SPPBJ, letters(*range(30)))
    counter.drop("a.json", letters(1))
    assert counter.watch.step()
    assert (counter.names(DAY), counter.names("refused")) == (["a.json"], [])
    assert counter.lines == ["file for e-procurement/nontender-sppbj: snapshot-held"]
    ((snapshot, state),) = hub.snapshots().items()
    assert (state, len(numbers(hub))) == ("held", 30)
    hub.approve(snapshot)
    assert numbers(hub) == [1]


def test_while_the_feed_is_busy_the_file_goes_back_and_is_taken_later(hub, counter, monkeypatch):
    monkeypatch.setattr(intake_module, "BUSY_PATIENCE", 0.0)
    hub.writer.call(lambda c: feed_state.take_lease(c, *SPPBJ, "another", hub.clock()))
    counter.drop("a.json", letters(1))
    assert not counter.watch.step()
    assert counter.names() == ["a.json"]
    hub.writer.call(lambda c: feed_state.end_lease(c, *SPPBJ, "another"))
    assert counter.watch.step()
    assert numbers(hub) == [1]


def test_while_the_store_is_away_the_file_goes_back(hub, counter, monkeypatch):
    monkeypatch.setattr(intake_module, "PORTION", 1)
    remember, faults = feed_state.remember, [None, StoreUnavailable("disk full")]

    def failing(*arguments):
        if faults and (fault := faults.pop(0)):
            raise fault
        remember(*arguments)

    monkeypatch.setattr(feed_state, "remember", failing)
    counter.drop("a.json", letters(1, 2))
    assert not counter.watch.step()
    assert (counter.names(), numbers(hub)) == (["a.json"], [1])
    assert counter.lines == ["file for e-procurement/nontender-sppbj waits: disk full"]
    assert counter.watch.step()
    assert numbers(hub) == [1, 2]
    assert len(hub.messages()) == 2


def test_a_file_that_the_hub_fails_on_is_set_aside_and_the_next_is_taken(hub, counter, monkeypatch):
    take = Intake.take

    def failing(self, feed, content, filename, **more):
        if filename == "a.json":
            raise KeyError("Budi Santoso")
        return take(self, feed, content, filename, **more)

    monkeypatch.setattr(Intake, "take", failing)
    counter.drop("a.json", letters(1))
    assert counter.watch.step()
    counter.drop("b.json", letters(2))
    assert counter.watch.step()
    assert (counter.names("refused"), counter.names(DAY)) == (["a.json", "a.json.report.txt"], ["b.json"])
    assert counter.report("a.json")["type"].endswith("/hub-fault")
    (line,) = counter.lines
    assert line.startswith("file for e-procurement/nontender-sppbj set aside: KeyError at ")
    assert "Budi" not in line
    assert numbers(hub) == [2]


async def test_the_watch_goes_through_what_lies_there_and_waits_for_more(hub, counter):
    for number in range(3):
        counter.drop(f"{number}.json", letters(number, kd_klpd=f"D{number}"))
    async with watching(counter):
        await wait_until_async(lambda: numbers(hub) == [0, 1, 2], what="the first three")
        counter.drop("3.json", letters(3, kd_klpd="D3"))
        await wait_until_async(lambda: len(counter.names(DAY)) == 4, what="the fourth")
    assert numbers(hub) == [0, 1, 2, 3]


async def test_a_folder_that_cannot_be_read_is_told_and_looked_at_again(hub, counter):
    counter.drop("a.json", letters(1))
    claim, faults = counter.inbox.hub.claim, [OSError(5, "Input/output error")] * 2

    def failing():
        if faults:
            raise faults.pop()
        return claim()

    counter.inbox.hub.claim = failing
    async with watching(counter):
        await wait_until_async(lambda: numbers(hub) == [1], what="the folder is back")
    assert counter.lines == ["drop folder of e-procurement/nontender-sppbj cannot be read: Input/output error"] * 2


async def test_a_crash_after_the_last_commit_takes_the_file_again_and_doubles_nothing(hub, tmp_path):
    """The rows are in, the file is not yet archived, the hub is gone: its claim goes back to the next hub."""
    first = Counter(hub, tmp_path / "drop")
    first.drop("a.json", letters(1, 2))
    claimed = first.inbox.hub.claim()
    hub.take(SPPBJ, claimed.content, claimed.name)
    first.inbox.hub.close()
    second = Counter(hub, tmp_path / "drop")
    assert second.watch.step()
    assert second.names(DAY) == ["a.json"]
    assert len(hub.messages()) == 2


@contextlib.asynccontextmanager
async def watching(counter):
    task = asyncio.create_task(counter.watch.run())
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
