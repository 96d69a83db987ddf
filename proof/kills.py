"""When which part of the hub is killed: by how far the load has come, never by the clock."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from .hub import Victim

Meter = Literal["acknowledged", "applied"]

FIRST, LAST = 0.05, 0.85
"""Kills fall between these shares of the load, so that enough of it comes before and after them all."""

VICTIMS: tuple[tuple[Victim, Meter], ...] = (("engine", "applied"), ("hub", "acknowledged"), ("front", "acknowledged"))
"""In turn. What takes messages dies while it takes them, what delivers them while it delivers.

The engine comes first: then enough has been applied, not only acknowledged, before the first fault.
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """``victim`` dies when ``meter`` has reached ``count`` messages."""

    victim: Victim
    meter: Meter
    count: int


def schedule(messages: int, kills: int, seed: int) -> list[Kill]:
    """One kill at a random place of each of ``kills`` equal stretches of the load; a seed gives the same again."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible schedule, not a secret
    stretch = (LAST - FIRST) / max(kills, 1)
    found = []
    for number in range(kills):
        victim, meter = VICTIMS[number % len(VICTIMS)]
        found.append(Kill(victim, meter, int(messages * (FIRST + stretch * (number + chance.random())))))
    return found
