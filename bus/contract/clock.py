"""Time as the engine sees it. Tests give it a clock of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Microseconds since the epoch, UTC."""

MICROSECONDS = 1_000_000


def system_clock() -> int:
    return time.time_ns() // 1000


def _ticking() -> int:
    return time.monotonic_ns() // 1000


class SteadyClock:
    """The hub's time in one process: as its source says, but no jump of the source moves it by itself.

    Between two looks it goes as the processor ticks. Whoever looks (``ahead``) decides what a jump means for what is
    stored, and then sets ``offset``. May be read from any thread.
    """

    def __init__(self, source: Clock = system_clock, ticking: Clock = _ticking) -> None:
        self._source = source
        self._ticking = ticking
        self.offset = source() - ticking()

    def __call__(self) -> int:
        return self._ticking() + self.offset

    def ahead(self) -> int:
        """Microseconds by which the source has gone away from us, forward or (negative) back. Asks the source."""
        return self._source() - self()


def to_datetime(moment: int) -> datetime:
    """A stored moment as a datetime in UTC."""
    return datetime.fromtimestamp(moment // MICROSECONDS, UTC).replace(microsecond=moment % MICROSECONDS)


def from_datetime(moment: datetime) -> int:
    return int(moment.timestamp()) * MICROSECONDS + moment.microsecond
