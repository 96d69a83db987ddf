"""Looks at the hub as an operator's monitoring does, about once a second: ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

import aiohttp

from .account import largest
from .hub import Hub
from .journal import Journal

AGE = "arus_oldest_pending_seconds"
"""Of the subscriber's deliveries alone: those to destinations that nobody set up wait for ever, and grow old."""

PAUSE_SECONDS = 1.0
ANSWER_SECONDS = 5.0


class Signs:
    """Writes ``signs.jsonl`` while it is entered, also of a hub that is away."""

    def __init__(self, hub: Hub, journal: Journal) -> None:
        self._hub = hub
        self._journal = journal
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._session.close()

    async def _look_on(self) -> None:
        while True:
            await asyncio.gather(*map(self._look, self._hub.urls))
            # A monitoring system asks at intervals too: what shows for less than that is seen by nobody.
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self, url: str) -> None:
        at = time.monotonic()
        ready = await self._text(f"{url}/readyz") is not None
        metrics = await self._text(f"{url}/metrics")
        oldest = None if metrics is None else largest(metrics, AGE, destination="subscription")
        await self._journal.put({"at": at, "url": url, "ready": ready, "oldest": oldest})

    async def _text(self, url: str) -> str | None:
        try:
            async with self._session.get(url) as answer:
                return await answer.text() if answer.ok else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
