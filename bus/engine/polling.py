"""Reading feeds while the hub runs: polled sources, and dropped files."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from sqlalchemy.exc import DBAPIError

from bus.contract.errors import Problem, Refused
from bus.contract.feed import Claimed, DropFolder, Feed, Source, SourceUnavailable

from .intake import Intake
from .taken import Taken
from .writer import StoreUnavailable

LONGEST_REST = 60.0
"""Seconds between tries of a source that cannot be read."""

ErrorsCsv = Callable[[Taken], bytes]
"""Makes the file of refused rows for the clerk."""

Report = Callable[[str], None]
"""Takes one line for the log: what went wrong with a feed, without values."""


@dataclass(slots=True)
class Poller:
    """Reads one polled feed, again every ``interval`` seconds. A crash before a commit repeats a page, no more."""

    feed: Feed
    source: Source
    intake: Intake
    interval: float
    report: Report

    async def run(self) -> None:
        rest = self.interval
        while True:
            try:
                more = await self._page()
                rest = 0.0 if more else self.interval
            except (SourceUnavailable, StoreUnavailable, Refused, DBAPIError) as error:
                self.report(f"feed {self.feed.system}/{self.feed.name} waits: {error}")
                rest = min(max(rest, self.interval, 0.5) * 2, LONGEST_REST)
            except Exception as error:  # noqa: BLE001 - a page that we fail on must not stop the other feeds
                self.report(f"feed {self.feed.system}/{self.feed.name} waits: {_fault(error)}")
                rest = LONGEST_REST
            await asyncio.sleep(rest)

    async def _page(self) -> bool:
        cursor = await asyncio.to_thread(self.intake.cursor, self.feed)
        page = await self.source.fetch(cursor)
        await asyncio.to_thread(self.intake.take_page, self.feed, page)
        return page.more


@dataclass(slots=True)
class DropWatch:
    """Takes the files that are dropped for one feed, one after the other."""

    feed: Feed
    folder: DropFolder
    intake: Intake
    interval: float
    errors_csv: ErrorsCsv
    report: Report

    async def run(self) -> None:
        while True:
            try:
                took = await asyncio.to_thread(self.step)
            except OSError as error:
                self.report(f"drop folder of {self.feed.system}/{self.feed.name} cannot be read: {error.strerror}")
                took = False
            if not took:
                await asyncio.sleep(self.interval)

    def step(self) -> bool:
        """Take one file, if one is complete. True: there may be more."""
        claimed = self.folder.claim()
        if claimed is None:
            return False
        try:
            taken = self.intake.take(self.feed, claimed.content, claimed.name, actor="drop folder")
        except Refused as refused:
            return self._refused(claimed, refused)
        except (StoreUnavailable, DBAPIError) as error:
            self.report(f"file for {self.feed.system}/{self.feed.name} waits: {error}")
            claimed.release()
            return False
        except Exception as error:  # noqa: BLE001 - a file that we fail on must not stop the other feeds
            return self._failed(claimed, error)
        claimed.done(self.errors_csv(taken) if taken.rejected else None)
        return True

    def _refused(self, claimed: Claimed, refused: Refused) -> bool:
        slug = refused.problem.slug
        if slug == "feed-busy":
            claimed.release()
            return False
        if slug == "snapshot-held":
            # The hub keeps the file itself until a person decides; the dropped one is done with.
            claimed.done()
        else:
            claimed.refused(json.dumps(refused.problem.document(), ensure_ascii=False, indent=2).encode())
        self.report(f"file for {self.feed.system}/{self.feed.name}: {slug}")
        return True

    def _failed(self, claimed: Claimed, error: Exception) -> bool:
        """Set aside what would fail again each time. What was taken of it stays, and counts when it comes again."""
        self.report(f"file for {self.feed.system}/{self.feed.name} set aside: {_fault(error)}")
        detail = (
            "the hub failed on this file, which is a fault of the hub: report it, and drop the file again once it is "
            "mended / hub gagal membaca berkas ini karena kesalahan hub: laporkan, lalu kirim ulang setelah diperbaiki"
        )
        problem = Problem("hub-fault", "The hub failed on the file", 500, detail)
        claimed.refused(json.dumps(problem.document(), ensure_ascii=False, indent=2).encode())
        return True


def _fault(error: Exception) -> str:
    """What and where, for whoever mends the hub; without the text, which may hold values."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {PurePath(frame.filename).name}:{frame.lineno}"
