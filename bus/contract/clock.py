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


def to_datetime(moment: int) -> datetime:
    """A stored moment as a datetime in UTC."""
    return datetime.fromtimestamp(moment // MICROSECONDS, UTC).replace(microsecond=moment % MICROSECONDS)


def from_datetime(moment: datetime) -> int:
    return int(moment.timestamp()) * MICROSECONDS + moment.microsecond
