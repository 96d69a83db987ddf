"""When which fault strikes: by how far the run has come, in an order and at places that a seed gives again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from .faults import Fault

FIRST, LAST = 0.08, 0.85
"""Faults strike between these shares of the run, so that enough of it comes before and after them all."""


@dataclass(frozen=True, slots=True)
class Strike:
    """``fault`` strikes when ``share`` of the run is over."""

    fault: Fault
    share: float


def schedule(faults: Sequence[Fault], rounds: int, seed: int) -> list[Strike]:
    """Every fault ``rounds`` times, each at a random place of one of as many equal stretches of the run.

    In each round the order is another; no two rounds meet.
    """
    chance = random.Random(seed)  # noqa: S311 - a reproducible schedule, not a secret
    turns: list[Fault] = []
    for _ in range(rounds):
        turns.extend(chance.sample(list(faults), len(faults)))
    stretch = (LAST - FIRST) / max(len(turns), 1)
    return [Strike(fault, FIRST + stretch * (number + chance.random() / 2)) for number, fault in enumerate(turns)]
