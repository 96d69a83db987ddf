"""One destination as a worker drives it: its sink, its room, and whether it may be tried now."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from bus.contract.sink import Sink

from .pace import Pace

OPENING = 5
"""Attempts in a row that found nobody there before the circuit opens."""

AHEAD = 4
"""Lanes in hand for each send of a destination that takes records singly: larger claims cost less each."""

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
        """Nobody there. Those that were under way together are one miss, and lengthen the rest once."""
        self.failures += 1
        if self.open and time.monotonic() >= self.closed_again_at:
            self.closed_again_at = time.monotonic() + self.rest
            self.rest = min(self.rest * 2, LONGEST_REST)


@dataclass(slots=True)
class Destination:
    """``system`` is whom a pause stops: the system itself, or the one that a subscription belongs to.

    ``pace`` bounds the requests a second.
    """

    name: str
    system: str
    sink: Sink
    pace: Pace = field(default_factory=lambda: Pace(None))
    circuit: Circuit = field(default_factory=Circuit)
    lanes_in_hand: int = 0
    sending: asyncio.Semaphore = field(init=False, repr=False)
    """As many ``send`` calls at once as the sink allows, however its lanes fall into batches."""

    def __post_init__(self) -> None:
        self.sending = asyncio.Semaphore(max(self.sink.concurrency, 1))

    @property
    def room(self) -> int:
        """Lanes that may be claimed now: there is room, the circuit lets them through, and so does the pace."""
        lanes = self.circuit.room(self.width)
        batch = max(self.sink.batch, 1)
        return min(lanes, self.pace.room(lanes) * batch)

    @property
    def width(self) -> int:
        """Lanes to claim: enough to keep every send busy, no more than are soon sent."""
        if self.circuit.open and self.lanes_in_hand:
            return 0  # one lane is trying whether it has come back
        ahead = AHEAD if self.sink.batch <= 1 else self.sink.batch
        whole = self.sink.concurrency * ahead
        free = whole - self.lanes_in_hand
        return free if free * 2 >= whole else 0
