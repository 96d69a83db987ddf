"""What a fault has at hand when it strikes, and the log in which it tells what it did."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

from .destination import Mood
from .gateway import Gateway
from .hub import Hub
from .journal import Journal
from .load import Load
from .progress import Progress
from .receiver import Receiver
from .servers import Broker, Database


class Striking(Protocol):
    """What the log says of a fault beside what it did."""

    @property
    def name(self) -> str: ...

    @property
    def quiet(self) -> bool: ...


@dataclass(slots=True)
class Servers:
    """The private servers of a distributed run, and the proxies that stand before them."""

    database: Database
    broker: Broker
    database_gate: Gateway
    broker_gate: Gateway


@dataclass(slots=True)
class Scene:
    """``gate`` stands before the destination. ``mood`` is how the destination is between the faults."""

    hub: Hub
    receiver: Receiver
    gate: Gateway
    progress: Progress
    load: Load
    poster_key: str
    client: Journal
    log: Journal
    mood: Mood
    lease: float
    servers: Servers | None = None
    struck: int = field(default=0)

    async def began(self, fault: Striking, *, hit: bool, at: float, **details: object) -> int:
        """Log a fault that began at ``at`` (monotonic); answers its number, for ``ended``."""
        number, self.struck = self.struck, self.struck + 1
        told = {"name": fault.name, "quiet": fault.quiet, "at": at, "hit": hit}
        await self.log.put({"event": "fault", "number": number, **told, **details})
        return number

    async def ended(self, number: int) -> None:
        """Log that the fault is over and the hub ready again."""
        await self.log.put({"event": "back", "number": number})

    def outer(self) -> Servers:
        """The servers. Raises RuntimeError in an embedded run, which has none."""
        if self.servers is None:
            raise RuntimeError("this fault needs the servers of a distributed run")
        return self.servers


def now() -> float:
    """The clock of all logs."""
    return time.monotonic()
