"""What a fault is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

from proof.progress import Meter
from proof.scene import Scene

Mode = Literal["embedded", "distributed"]

BOTH: frozenset[Mode] = frozenset({"embedded", "distributed"})
DISTRIBUTED: frozenset[Mode] = frozenset({"distributed"})
EMBEDDED: frozenset[Mode] = frozenset({"embedded"})

PATIENCE = 45.0
"""Seconds for a fault to find somebody whom it can hit."""


@dataclass(frozen=True)
class Fault(ABC):
    """One row of the fault matrix. ``meter`` must have come to the fault's place in the run before it strikes.

    ``quiet``: neither poster nor destination should notice anything of it.
    """

    row: str
    title: str
    modes: frozenset[Mode] = BOTH
    meter: Meter = "acknowledged"
    quiet: bool = False

    @property
    def name(self) -> str:
        return f"{self.row} {self.title}"

    @abstractmethod
    async def strike(self, scene: Scene) -> None:
        """Do it, see that it hit, end it, and wait until the hub is ready: each told to the scene's log."""
