"""How far a run has come, for those who wait for a part of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Literal

Meter = Literal["acknowledged", "applied"]

STALL_SECONDS = 10.0
"""When nothing has moved for so long, what is missing may be lost and is waited for no longer."""


LULL_SECONDS = 1.0
"""When nothing has moved for so long, a fault that waits for work to hit would wait in vain."""


class Progress:
    """Counts of messages, and what share of the run is over: of ``messages``, or of ``seconds`` where these are given.

    ``room`` is set while the deliveries are less than ``backlog`` behind and the load has not reached ``ceiling``.
    """

    def __init__(self, messages: int, seconds: float | None, backlog: int) -> None:
        self._messages = messages
        self._seconds = seconds
        self._backlog = backlog
        self._began = self._moved_at = time.monotonic()
        self._given_up = 0
        self._hungry = 0
        self._news = asyncio.Condition()
        self._counts: dict[Meter, int] = {"acknowledged": 0, "applied": 0}
        self.posting = True
        self.struck = 0
        self.ceiling = 1.0
        """The share of the messages that may be posted: what follows waits until the fault before it is over."""
        self.room = asyncio.Event()

    async def note(self, acknowledged: int, applied: int) -> None:
        """Take the present counts."""
        if (acknowledged, applied) != (self._counts["acknowledged"], self._counts["applied"]):
            self._moved_at = time.monotonic()
        self._counts = {"acknowledged": acknowledged, "applied": applied}
        if self.idle > STALL_SECONDS:
            # What faults post themselves is applied, and not among what the poster hears of.
            self._given_up = max(0, acknowledged - applied)
        if self._hungry and self.idle > LULL_SECONDS:
            self.ceiling = max(self.ceiling, (acknowledged + 1) / self._messages)
        behind = acknowledged - applied - self._given_up
        if behind < self._backlog and (self._seconds or acknowledged < self.ceiling * self._messages):
            self.room.set()
        else:
            self.room.clear()
        async with self._news:
            self._news.notify_all()

    async def reached(self, meter: Meter, share: float) -> int:
        """Wait until so much of the run is over, counting as applied what was given up; answers the meter."""
        async with self._news:
            await self._news.wait_for(lambda: self._share(meter) >= share)
            return self._counts[meter]

    async def grown(self, meter: Meter, by: int) -> None:
        """Wait until the meter has grown by so much, which the ceiling makes room for."""
        target = self._counts[meter] + by
        self.ceiling = max(self.ceiling, (self._counts["acknowledged"] + by + 1) / self._messages)
        async with self._news:
            await self._news.wait_for(lambda: self._so_far(meter) >= target or not self.posting)

    @contextlib.contextmanager
    def feeding(self) -> Iterator[None]:
        """Meanwhile a fault waits for work that it can hit: a load that stands at its ceiling goes on a little."""
        self._hungry += 1
        try:
            yield
        finally:
            self._hungry -= 1

    def _share(self, meter: Meter) -> float:
        if self._seconds is not None:
            return (time.monotonic() - self._began) / self._seconds
        return self._so_far(meter) / self._messages

    def _so_far(self, meter: Meter) -> int:
        return self._counts[meter] + (self._given_up if meter == "applied" else 0)

    @property
    def idle(self) -> float:
        """Seconds since anything moved."""
        return time.monotonic() - self._moved_at
