"""Counters live in the store, in the transaction of what they count: they agree with it after any crash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from bus.contract.events import Event

from .dialect import run

Delta = tuple[str, str, float]
"""(name, labels as JSON, amount to add)"""

Tally = Callable[[Sequence[Event]], Iterable[Delta]]
"""Turns events into counter changes; ``monitoring`` has the real one."""


def count_nothing(_events: Sequence[Event]) -> Iterable[Delta]:
    """The tally of a hub without metrics."""
    return ()


def add(connection: Connection, deltas: Iterable[Delta]) -> None:
    totals: dict[tuple[str, str], float] = {}
    for name, labels, amount in deltas:
        totals[name, labels] = totals.get((name, labels), 0.0) + amount
    if totals:
        rows = [{"name": key[0], "labels": key[1], "value": value} for key, value in sorted(totals.items())]
        run(connection, "count", rows)
