"""What a sink says of each delivery it was given. A verdict tells the engine what to do next.

=============  ==========================================  =============  ===============================
verdict        meaning                                     holds lane     then
=============  ==========================================  =============  ===============================
Delivered      the destination has it, by its own word     no             done
RetryLater     it asked to come again (429, busy)          yes            retried; uses up retries
Unavailable    nobody there (refused, 503, DNS)            yes            retried for ever, never dead
Rejected       it will never take this one                 no (1)         dead, for a person
Ambiguous      it may or may not have been applied         yes            same key, asked, or parked (2)
Deferred       taken, its result comes later               yes            asked for with the token
=============  ==========================================  =============  ===============================

(1) except in lanes with an explicit partition key; (2) by the sink's class: keyed, queryable, blind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FaultAt = Literal["sender", "hub", "mapping", "destination", "network"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """``detail`` is what the destination called it: applied, duplicate, unchanged."""

    detail: str = "applied"
    status: int | None = None


@dataclass(frozen=True, slots=True)
class RetryLater:
    """``after`` is the wait the destination asked for, in seconds (None: the route's backoff)."""

    reason: str
    after: float | None = None
    status: int | None = None
    at: FaultAt = "destination"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The destination could not be reached or said that it is not in service."""

    reason: str
    after: float | None = None
    status: int | None = None
    at: FaultAt = "network"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused for good: another try of the same message cannot succeed."""

    reason: str
    status: int | None = None
    at: FaultAt = "destination"


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The request left and no usable answer came: the effect is unknown."""

    reason: str
    status: int | None = None
    at: FaultAt = "network"


@dataclass(frozen=True, slots=True)
class Deferred:
    """Taken for later processing: ask with ``token`` after ``check_after`` seconds."""

    token: str
    check_after: float
    status: int | None = None


Verdict = Delivered | RetryLater | Unavailable | Rejected | Ambiguous | Deferred

NAMES: dict[type, str] = {
    Delivered: "delivered",
    RetryLater: "retry_later",
    Unavailable: "unavailable",
    Rejected: "rejected",
    Ambiguous: "ambiguous",
    Deferred: "deferred",
}
"""The closed list of outcome names, for attempts and metric labels."""


def name_of(verdict: Verdict) -> str:
    return NAMES[type(verdict)]
