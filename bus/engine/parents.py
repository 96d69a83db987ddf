"""Required parents: a delivery waits until its parent has arrived where it must, and is released then."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from . import lanes
from .lanes import Lane, by_prefix, chunks
from .routing import Routing
from .tables import deliveries, messages, records, replicas

Need = tuple[str, str, str | None]
"""(type, key, destination where it must have been delivered; None: it must exist in the hub)"""


def unmet(connection: Connection, needs: Iterable[Need]) -> set[Need]:
    """Those of ``needs`` that are not satisfied now."""
    wanted = set(needs)
    missing = set(wanted)
    for (type_,), part in by_prefix((kind, key) for kind, key, place in wanted if place is None):
        statement = select(records.c.type, records.c.key).where(
            records.c.type == type_, records.c.key.in_(part), records.c.deleted == 0, records.c.message.is_not(None)
        )
        missing -= {(row.type, row.key, None) for row in connection.execute(statement)}
    there = ((place, kind, key) for kind, key, place in wanted if place is not None)
    for (destination, type_), part in by_prefix(there):
        statement = select(replicas.c.destination, replicas.c.type, replicas.c.key).where(
            replicas.c.destination == destination,
            replicas.c.type == type_,
            replicas.c.key.in_(part),
            replicas.c.deleted == 0,
        )
        missing -= {(row.type, row.key, row.destination) for row in connection.execute(statement)}
    return missing


def release(connection: Connection, routing: Routing, arrived: Iterable[tuple[str, str]], now: int) -> list[Lane]:
    """Records ``arrived`` (type, key) in the hub or at a destination: free what waited for them and for nothing else.

    Answers the lanes whose heads may have changed; the caller refreshes them.
    """
    keys = sorted({f"{kind}:{key}" for kind, key in arrived if kind in routing.parent_types})
    touched: list[Lane] = []
    for part in chunks(keys):
        statement = (
            select(
                deliveries.c.seq,
                deliveries.c.destination,
                deliveries.c.lane,
                deliveries.c.route,
                messages.c.data,
            )
            .join(messages, messages.c.seq == deliveries.c.message)
            .where(deliveries.c.waits.in_(part), deliveries.c.state == "parked")
        )
        touched.extend(_free(connection, routing, connection.execute(statement).all(), now))
    return touched


def sweep(connection: Connection, routing: Routing, now: int, limit: int = 500, after: int = 0) -> tuple[int, int]:
    """Look again at ``limit`` waiting deliveries after row ``after``; answers how many were freed and where to go on.

    With several processes a child may be parked in the same instant in which its parent arrives.
    """
    statement = (
        select(deliveries.c.seq, deliveries.c.destination, deliveries.c.lane, deliveries.c.route, messages.c.data)
        .join(messages, messages.c.seq == deliveries.c.message)
        .where(deliveries.c.waits.is_not(None), deliveries.c.state == "parked", deliveries.c.seq > after)
        .order_by(deliveries.c.seq)
        .limit(limit)
    )
    rows = connection.execute(statement).all()
    touched = _free(connection, routing, rows, now)
    lanes.lock(connection, touched)
    lanes.refresh(connection, touched, release=False)
    return len(touched), rows[-1].seq if len(rows) == limit else 0


def _free(connection: Connection, routing: Routing, rows: Sequence[Any], now: int) -> list[Lane]:
    needs = {row.seq: _needs(routing, row) for row in rows}
    missing = unmet(connection, [need for each in needs.values() for need in each])
    freed, moved, touched = [], [], []
    for row in rows:
        still = next((need for need in needs[row.seq] if need in missing), None)
        if still is None:
            freed.append({"the_seq": row.seq, "due_at": now})
            touched.append((row.destination, row.lane))
        else:
            moved.append({"the_seq": row.seq, "waits": f"{still[0]}:{still[1]}", "waits_at": still[2]})
    here = deliveries.update().where(deliveries.c.seq == bindparam("the_seq"), deliveries.c.state == "parked")
    if freed:
        values = {"state": "pending", "parked": None, "waits": None, "waits_at": None, "reason": None}
        connection.execute(here.values(**values, due_at=bindparam("due_at")), freed)
    if moved:
        connection.execute(here.values(waits=bindparam("waits"), waits_at=bindparam("waits_at")), moved)
    return touched


def _needs(routing: Routing, row: Any) -> list[Need]:
    route = routing.routes.get(row.route)
    return list(routing.parents(route, json.loads(row.data))) if route else []
