"""The metric families of the hub, and how events become counter changes.

Counters live in the store, in the transaction of what they count; this module alone knows their names. Label values
come from closed lists: systems, types, states, reasons. A subscription's id is no label: all of them are
``subscription``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bus.contract.events import (
    AttemptEnded,
    DeliverySettled,
    Event,
    FaultSeen,
    FeedRead,
    InputRejected,
    MessageAccepted,
)

PREFIX = "arus_"

Kind = Literal["counter", "gauge", "histogram"]

Delta = tuple[str, str, float]
"""(name, labels as JSON with sorted names, amount)"""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. ``name`` without the prefix; ``buckets`` are upper bounds in seconds."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        return PREFIX + self.name


ATTEMPT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
END_TO_END_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)

FAMILIES = {
    family.name: family
    for family in (
        Family("messages_accepted_total", "counter", "Messages accepted, on disk.", ("system", "type")),
        Family("messages_rejected_total", "counter", "Inputs that could not become messages.", ("system", "reason")),
        Family(
            "deliveries_total",
            "counter",
            "Deliveries that came to an end or to a stand, by what became of them.",
            ("destination", "type", "outcome"),
        ),
        Family("delivery_attempt_seconds", "histogram", "Length of one attempt.", ("destination",), ATTEMPT_BUCKETS),
        Family("end_to_end_seconds", "histogram", "From acceptance to delivery.", ("destination",), END_TO_END_BUCKETS),
        Family("pending", "gauge", "Deliveries on their way, by state.", ("destination", "state")),
        Family("oldest_pending_seconds", "gauge", "Age of the oldest delivery on its way.", ("destination",)),
        Family("dead", "gauge", "Deliveries that gave up or were refused.", ("destination",)),
        Family("parked", "gauge", "Deliveries that wait for something named.", ("reason",)),
        Family(
            "feed_last_success_timestamp_seconds",
            "gauge",
            "When the feed was last read to its end without fault.",
            ("system", "feed"),
        ),
        Family("circuit_open", "gauge", "1 while the circuit breaker keeps attempts away.", ("destination",)),
        Family("fault_total", "counter", "Faults seen, by where they arose.", ("destination", "at")),
    )
}


def labels(**values: str) -> str:
    """Labels as they are stored: JSON, names sorted."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def destination_label(destination: str) -> str:
    """A destination as a label value."""
    return "subscription" if destination.startswith("sub:") else destination


def tally(events: Sequence[Event]) -> Iterable[Delta]:
    """The counter changes that ``events`` make. Pure; the engine stores them with what they count."""
    for event in events:
        yield from _changes(event)


def _changes(event: Event) -> Iterator[Delta]:
    match event:
        case MessageAccepted(system=system, type=kind):
            yield PREFIX + "messages_accepted_total", labels(system=system, type=kind), 1
        case InputRejected(system=system, reason=reason):
            yield PREFIX + "messages_rejected_total", labels(system=system, reason=reason), 1
        case AttemptEnded(destination=destination, seconds=seconds):
            yield from _observed("delivery_attempt_seconds", destination, seconds)
        case DeliverySettled(destination=destination, type=kind, state=state, end_to_end=end_to_end):
            told = labels(destination=destination_label(destination), type=kind, outcome=state)
            yield PREFIX + "deliveries_total", told, 1
            if end_to_end is not None:
                yield from _observed("end_to_end_seconds", destination, end_to_end)
        case FaultSeen(destination=destination, at=at):
            yield PREFIX + "fault_total", labels(destination=destination_label(destination), at=at), 1
        case FeedRead():
            return  # its time stands in the feed's own row, where the gauge reads it


def _observed(name: str, destination: str, seconds: float) -> Iterator[Delta]:
    """One observation of a histogram. Buckets are stored apart, not cumulated: one row changes, not fourteen."""
    family = FAMILIES[name]
    shown = destination_label(destination)
    bound = next((repr(limit) for limit in family.buckets if seconds <= limit), "+Inf")
    yield f"{family.full_name}_bucket", labels(destination=shown, le=bound), 1
    yield f"{family.full_name}_sum", labels(destination=shown), max(seconds, 0.0)
