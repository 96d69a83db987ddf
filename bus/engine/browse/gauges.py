"""What monitoring reads at each scrape: the stored counters, and what stands where now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bus.contract.clock import MICROSECONDS
from bus.engine import controls
from bus.engine.registers import counters, feeds, snapshots
from bus.engine.tables import OPEN, deliveries

from .deliveries import PAUSED, STOPPED, paused_destinations

Sample = tuple[Mapping[str, str], float]

ON_ITS_WAY = ("pending", "delivering", "retrying", "deferred")

BY_STATE = (
    select(
        deliveries.c.destination,
        deliveries.c.state,
        func.count().label("count"),
        func.min(deliveries.c.accepted_at).label("oldest"),
    )
    .where(OPEN)
    .group_by(deliveries.c.destination, deliveries.c.state)
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters as stored (name, labels as JSON, value), gauges by family name."""

    counters: list[tuple[str, str, float]]
    gauges: Mapping[str, list[Sample]]


def read(connection: Connection, now: int) -> Snapshot:
    stored = connection.execute(select(counters.c.name, counters.c.labels, counters.c.value).order_by(counters.c.name))
    counted = [(row.name, row.labels, row.value) for row in stored]
    gauges: dict[str, list[Sample]] = defaultdict(list)
    oldest: dict[str, int] = {}
    for destination, state, count, first in connection.execute(BY_STATE):
        if state in ON_ITS_WAY:
            gauges["pending"].append(({"destination": destination, "state": state}, count))
            oldest[destination] = min(first, oldest.get(destination, first))
        elif state == "dead":
            gauges["dead"].append(({"destination": destination}, count))
    for destination, first in oldest.items():
        gauges["oldest_pending_seconds"].append(({"destination": destination}, max(0, now - first) / MICROSECONDS))
    gauges["parked"] = _parked(connection, gauges["pending"])
    for row in connection.execute(select(feeds.c.system, feeds.c.feed, feeds.c.last_success)):
        if row.last_success is not None:
            labels = {"system": row.system, "feed": row.feed}
            gauges["feed_last_success_timestamp_seconds"].append((labels, row.last_success / MICROSECONDS))
    for destination, is_open in sorted(controls.circuits(connection, now).items()):
        gauges["circuit_open"].append(({"destination": destination}, int(is_open)))
    return Snapshot(counted, gauges)


def _parked(connection: Connection, pending: list[Sample]) -> list[Sample]:
    """What waits for something named: parents, decisions, a pause, held snapshots."""
    found: list[Sample] = []
    parked = (
        select(deliveries.c.parked, func.count().label("count"))
        .where(OPEN, deliveries.c.state == "parked")
        .group_by(deliveries.c.parked)
    )
    for reason, count in connection.execute(parked):
        found.append(({"reason": reason or "other"}, count))
    off = paused_destinations(connection)
    waiting = [n for told, n in pending if told["destination"] in off and told["state"] in STOPPED]
    if waiting:
        found.append(({"reason": PAUSED}, sum(waiting)))
    held = select(func.count()).select_from(snapshots).where(snapshots.c.state == "held")
    if count := connection.execute(held).scalar_one():
        found.append(({"reason": "snapshot"}, count))
    return found
