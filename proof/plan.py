"""What a run is to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from .destination import Mood
from .faults import Fault, chosen
from .poster import Manner
from .rules import LEAST

ENDLESS = 100_000_000
"""Messages of a load that ends by the clock."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``messages`` of them, or as many as ``minutes`` allow; each of the faults ``rounds`` times.

    ``faults`` are rows (``F01`` …) or ``all``. ``mood`` is how the destination is between the faults. ``lease``,
    ``patience`` in seconds. ``least`` is the checker's measure for a run that shows something.
    """

    messages: int = 20_000
    minutes: float | None = None
    keys: int = 500
    faults: tuple[str, ...] = ("F01", "F03")
    rounds: int = 1
    seed: int = 1
    distributed: bool = False
    mood: Mood = field(default_factory=Mood)
    manner: Manner = field(default_factory=Manner)
    lease: float = 4.0
    least: int = LEAST
    patience: float = 120.0

    @property
    def strikes(self) -> tuple[Fault, ...]:
        """The chosen faults. Raises UnknownRow."""
        return chosen(self.faults, "distributed" if self.distributed else "embedded")

    @property
    def load(self) -> int:
        return self.messages if self.minutes is None else ENDLESS

    @property
    def seconds(self) -> float | None:
        return None if self.minutes is None else self.minutes * 60

    @property
    def backlog(self) -> int:
        """How far the deliveries may fall behind before nothing new is posted."""
        return max(self.messages // 20 if self.minutes is None else 2_000, self.manner.batch)

    @property
    def environment(self) -> dict[str, str]:
        """Settings of the hub that the faults rest on: a paused worker's lease must run out within the run."""
        return {"ARUS_LEASE_SECONDS": f"{self.lease:g}", "ARUS_DEAD_SECONDS": f"{max(self.lease, 4.0):g}"}
