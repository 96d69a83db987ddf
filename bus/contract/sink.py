"""Sinks: how one system is written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from .message import Message
from .verdict import Verdict

SinkClass = Literal["keyed", "queryable", "blind"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one system.

    ``key`` is the Idempotency-Key: the same for every attempt of this delivery. ``sequence`` is the hub's
    number in the lane, rising. ``target`` is the destination's own form of the record (None for a deletion,
    where ``message.data`` holds the key fields). ``deadline`` is the total time of the attempt, in seconds.
    """

    key: str
    message: Message
    sequence: int
    attempt: int
    target: Any
    deadline: float = 30.0
    token: str | None = None


@runtime_checkable
class Sink(Protocol):
    """Promises that every sink keeps (tests/contract/sink_contract.py runs them all):

    - ``send`` answers one verdict per delivery, in their order, and raises nothing but CancelledError;
    - a sent delivery arrives once; a ``keyed`` sink passes ``key`` so that a repeat has no second effect;
    - system down -> ``Unavailable``; refused -> ``Rejected``; no answer after sending -> ``Ambiguous``;
    - success is what the destination says it is, not what the transport says;
    - no secret appears in ``repr`` or in a reason; ``close`` twice is harmless.
    """

    kind: SinkClass
    batch: int
    """How many deliveries one ``send`` may take; 1 where the system takes records singly."""
    concurrency: int
    """How many ``send`` calls may run at once."""

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Verdict]: ...

    async def ask(self, delivery: Delivery) -> Verdict | None:
        """Was it applied? ``Delivered``, ``Rejected``, ``Deferred``, ``Unavailable``, or None: the system does not
        have it. Only called on ``queryable`` sinks and for deferred deliveries (``delivery.token``)."""
        ...

    async def close(self) -> None: ...
