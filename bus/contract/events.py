"""What the engine tells: facts, as dataclasses. ``monitoring`` alone turns them into metrics and logs."""

from __future__ import annotations

from dataclasses import dataclass

from .verdict import FaultAt


@dataclass(frozen=True, slots=True)
class MessageAccepted:
    system: str
    type: str


@dataclass(frozen=True, slots=True)
class InputRejected:
    """``reason`` is from a closed list: a problem slug, never a value."""

    system: str
    reason: str


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """``outcome`` is a verdict name; ``seconds`` the length of the attempt."""

    destination: str
    type: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class DeliverySettled:
    """``state`` is the delivery's new state; ``end_to_end`` the seconds from acceptance, when delivered."""

    destination: str
    type: str
    state: str
    end_to_end: float | None = None


@dataclass(frozen=True, slots=True)
class FaultSeen:
    destination: str
    at: FaultAt


@dataclass(frozen=True, slots=True)
class FeedRead:
    """A feed was read to its end without fault. ``at``: seconds since the epoch."""

    system: str
    feed: str
    at: float


Event = MessageAccepted | InputRejected | AttemptEnded | DeliverySettled | FaultSeen | FeedRead
