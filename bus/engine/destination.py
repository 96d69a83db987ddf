"""One destination as a worker drives it: its sink, its room, and whether it may be tried now."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from bus.contract.sink import Sink

OPENING = 5
"""Attempts in a row that found nobody there before the circuit opens."""

FIRST_REST = 1.0
LONGEST_REST = 30.0


@dataclass(slots=True)
class Circuit:
    """Opens when the destination is not there; then one lane at a time tries whether it has come back."""

    failures: int = 0
    closed_again_at: float = 0.0
    rest: float = FIRST_REST

    @property
    def open(self) -> bool:
        return self.failures >= OPENING

    def room(self, wanted: int) -> int:
        """How many lanes may be tried now."""
        if not self.open:
            return wanted
        return min(wanted, 1) if time.monotonic() >= self.closed_again_at else 0

    def found(self) -> None:
        """The destination answered, whatever it said."""
        self.failures = 0
        self.rest = FIRST_REST

    def missed(self) -> None:
        """Nobody there."""
        self.failures += 1
        if self.open:
            self.closed_again_at = time.monotonic() + self.rest
            self.rest = min(self.rest * 2, LONGEST_REST)


@dataclass(slots=True)
class Destination:
    """``system`` is whom a pause stops: the system itself, or the one that a subscription belongs to."""

    name: str
    system: str
    sink: Sink
    circuit: Circuit = field(default_factory=Circuit)
    lanes_in_hand: int = 0

    @property
    def width(self) -> int:
        """Lanes to claim now: enough to keep every send busy, no more than are soon sent."""
        whole = self.sink.concurrency * max(self.sink.batch, 1)
        free = whole - self.lanes_in_hand
        return free if free * 2 >= whole else 0
