"""How fast one destination may be asked: a bucket of tokens, one for each request."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST = 1.0
"""Seconds of the rate that may go at once after a rest."""


class Pace:
    """``rate`` requests a second; None: any number. The bucket is full at the beginning.

    Of several workers each takes its part of the rate (``share``), whatever the others just need.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._workers = 1
        self._tokens = self._most
        self._at = clock()

    def share(self, workers: int) -> None:
        """So many workers live, this one among them."""
        if self._rate is not None:
            self._fill()
            self._workers = max(1, workers)
            self._tokens = min(self._tokens, self._most)

    @property
    def _part(self) -> float:
        return 0.0 if self._rate is None else self._rate / self._workers

    @property
    def _most(self) -> float:
        return max(1.0, self._part * BURST)

    def room(self, wanted: int) -> int:
        """How many of ``wanted`` requests may go now."""
        if self._rate is None:
            return wanted
        self._fill()
        return min(wanted, int(self._tokens))

    def take(self) -> bool:
        """One request goes now. False: it may not."""
        if self.room(1) < 1:
            return False
        self._tokens -= 0.0 if self._rate is None else 1.0
        return True

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(self._most, self._tokens + max(0.0, now - self._at) * self._part)
        self._at = now
