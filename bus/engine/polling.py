"""Reading feeds while the hub runs: polled sources, and dropped files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from bus.contract.errors import Refused
from bus.contract.feed import Claimed, DropFolder, Feed, Source, SourceUnavailable

from .intake import Intake, Taken
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
