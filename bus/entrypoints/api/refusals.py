"""Counting what the door refused, in the store, at most once a second: a flood of bad input makes few writes."""

from __future__ import annotations

import asyncio
from collections import Counter

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bus.contract.events import InputRejected
from bus.engine import counters
from bus.engine.writer import StoreUnavailable, Writer

EVERY = 1.0
"""Seconds between two writes."""


class RefusalCounter:
    """Used from the event loop's thread alone. What a crash loses is at most a second of counts, never a message."""

    def __init__(self, writer: Writer, tally: counters.Tally) -> None:
        self._writer = writer
        self._tally = tally
        self._seen: Counter[InputRejected] = Counter()
        self._task: asyncio.Task[None] | None = None

    def count(self, system: str, reason: str) -> None:
        self._seen[InputRejected(system, reason)] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._later())

    async def flush(self) -> None:
        """Write what was counted; what cannot be written now is kept for the next time."""
        seen, self._seen = self._seen, Counter()
        if not seen:
            return
        try:
            await self._writer.run(lambda connection: self._write(connection, seen))
        except (StoreUnavailable, DBAPIError):
            self._seen.update(seen)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        await self.flush()

    async def _later(self) -> None:
        await asyncio.sleep(EVERY)
        await self.flush()

    def _write(self, connection: Connection, seen: Counter[InputRejected]) -> None:
        for event, times in seen.items():
            counters.add(connection, ((name, labels, by * times) for name, labels, by in self._tally([event])))
