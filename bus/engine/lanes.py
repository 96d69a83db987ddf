"""Lanes: the ordered line of deliveries that share (destination, key).

A lane's row says when its head is due. ``held`` means that the head waits for something that is not time (a parent,
a person). An idle lane has neither. Whoever changes a lane's deliveries locks its row first, then looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, select, tuple_

from .dialect import insert, query
from .tables import deliveries, lane_keys, lanes

Lane = tuple[str, str]
"""(destination, lane key)"""

_CHUNK = 400


def chunks(items: Sequence[Any], size: int = _CHUNK) -> Iterable[Sequence[Any]]:
    """Slices small enough for one statement's parameters."""
    return (items[start : start + size] for start in range(0, len(items), size))


def next_sequences(connection: Connection, counts: dict[str, int]) -> dict[str, int]:
    """Reserve ``counts[lane]`` numbers in each lane; answers the first of each. Locks rows in sorted order."""
    first: dict[str, int] = {}
    statement = insert(connection, lane_keys)
    statement = statement.on_conflict_do_update(
        index_elements=["lane"], set_={"sequence": lane_keys.c.sequence + statement.excluded.sequence}
    ).returning(lane_keys.c.lane, lane_keys.c.sequence)
    rows = [{"lane": lane, "sequence": count} for lane, count in sorted(counts.items())]
    for row in connection.execute(statement, rows):
        first[row.lane] = row.sequence - counts[row.lane] + 1
    return first


def extend(connection: Connection, heads: dict[Lane, int | None]) -> None:
    """New deliveries stand in these lanes. The value is when a new head is due (None: it waits, the lane is held).

    A lane that was not idle keeps its head, so nothing changes for it.
    """
    if not heads:  # stale messages alone hold no lane
        return
    idle = (lanes.c.due_at.is_(None)) & (lanes.c.held == 0)
    statement = insert(connection, lanes)
    statement = statement.on_conflict_do_update(
        index_elements=["destination", "lane"],
        set_={
            "due_at": case((idle, statement.excluded.due_at), else_=lanes.c.due_at),
            "held": case((idle, statement.excluded.held), else_=lanes.c.held),
        },
    )
    connection.execute(
        statement,
        [
            {"destination": lane[0], "lane": lane[1], "due_at": due, "held": int(due is None), "fence": 0}
            for lane, due in sorted(heads.items())
        ],
    )


def lock(connection: Connection, which: Iterable[Lane]) -> dict[Lane, int]:
    """Lock these lanes' rows in sorted order; answers each one's fence."""
    fences: dict[Lane, int] = {}
    for part in chunks(sorted(set(which))):
        statement = (
            select(lanes.c.destination, lanes.c.lane, lanes.c.fence)
            .where(tuple_(lanes.c.destination, lanes.c.lane).in_(part))
            .order_by(lanes.c.destination, lanes.c.lane)
            .with_for_update()
        )
        fences.update({(row.destination, row.lane): row.fence for row in connection.execute(statement)})
    return fences


def refresh(connection: Connection, which: Iterable[Lane], *, release: bool) -> None:
    """Look at the heads of these (locked) lanes and set when they are due; ``release`` also ends their leases."""
    wanted = sorted(set(which))
    if not wanted:
        return
    head = query(connection, "lane_head")
    rows: list[dict[str, Any]] = []
    for destination, lane in wanted:
        found = connection.execute(head, {"destination": destination, "lane": lane}).first()
        waits = found is not None and found.state in {"parked", "dead"}
        rows.append(
            {
                "the_destination": destination,
                "the_lane": lane,
                "due_at": None if found is None or waits else found.due_at,
                "held": int(waits),
            }
        )
    statement = lanes.update().where(
        lanes.c.destination == bindparam("the_destination"), lanes.c.lane == bindparam("the_lane")
    )
    values: dict[str, Any] = {"due_at": bindparam("due_at"), "held": bindparam("held")}
    if release:
        values |= {"lease_until": None, "owner": None}
    connection.execute(statement.values(values), rows)


def lanes_of(connection: Connection, ids: Sequence[str]) -> list[Lane]:
    """The lanes in which these deliveries stand."""
    found: list[Lane] = []
    for part in chunks(ids):
        statement = select(deliveries.c.destination, deliveries.c.lane).where(deliveries.c.id.in_(part)).distinct()
        found.extend((row.destination, row.lane) for row in connection.execute(statement))
    return found
