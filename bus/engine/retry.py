"""When to try again: pure arithmetic."""

from __future__ import annotations

import random

from bus.contract.route import Retry

UNAVAILABLE_LONGEST = 30.0
"""Seconds between tries of a destination that is not there: it is found again soon after it returns."""


def backoff(retry: Retry, tries: int, chance: random.Random) -> float:
    """Seconds before try ``tries + 1``: doubling from ``retry.first`` up to ``retry.longest``, half of it by chance."""
    full = min(retry.longest, retry.first * 2.0 ** min(max(tries - 1, 0), 40))
    return full / 2 + chance.random() * full / 2


def unavailable_backoff(retry: Retry, tries: int, chance: random.Random) -> float:
    """As ``backoff``, but never longer than a returning destination should have to wait."""
    return backoff(Retry(retry.attempts, retry.first, min(retry.longest, UNAVAILABLE_LONGEST)), tries, chance)
