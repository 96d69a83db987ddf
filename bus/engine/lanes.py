"""Lanes: the ordered line of deliveries that share (destination, key).

A lane's row says when its head is due. ``held`` means that the head waits for something that is not time (a parent,
a person). An idle lane has neither. Whoever changes a lane's deliveries locks its row first, then looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, select

from .dialect import run
from .tables import deliveries, lane_keys, lanes

Lane = tuple[str, str]
"""(destination, lane key)"""

_CHUNK = 400

_LAST = select(lane_keys.c.lane, lane_keys.c.sequence).where(lane_keys.c.lane.in_(bindparam("lanes", expanding=True)))
_FENCES = (
    select(lanes.c.destination, lanes.c.lane, lanes.c.fence)
    .where(lanes.c.destination == bindparam("place"), lanes.c.lane.in_(bindparam("lanes", expanding=True)))
    .order_by(lanes.c.lane)
    .with_for_update()
)

_KEYS = (
    select(lane_keys.c.lane)
    .where(lane_keys.c.lane.in_(bindparam("lanes", expanding=True)))
    .order_by(lane_keys.c.lane)
    .with_for_update()
)


def chunks(items: Sequence[Any], size: int = _CHUNK) -> Iterable[Sequence[Any]]:
    """Slices small enough for one statement's parameters."""
    return (items[start : start + size] for start in range(0, len(items), size))


def by_prefix(keys: Iterable[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Composite keys in sorted order: all parts but the last, and the last parts, few enough for one statement.

    SQLite finds ``a = ? AND b IN (…)`` by index, and reads the whole table for ``(a, b) IN (…)``.
    """
    for prefix, group in groupby(sorted(set(keys)), key=lambda key: key[:-1]):
        for part in chunks([key[-1] for key in group]):
            yield prefix, list(part)


def next_sequences(connection: Connection, counts: dict[str, int]) -> dict[str, int]:
    """Reserve ``counts[lane]`` numbers in each lane; answers the first of each. Locks rows in sorted order."""
    first: dict[str, int] = {}
    run(connection, "lane_numbers", [{"lane": lane, "count": count} for lane, count in sorted(counts.items())])
    for part in chunks(sorted(counts)):
        for row in connection.execute(_LAST, {"lanes": part}):
            first[row.lane] = row.sequence - counts[row.lane] + 1
    return first


def extend(connection: Connection, heads: dict[Lane, int | None]) -> None:
    """New deliveries stand in these lanes. The value is when a new head is due (None: it waits, the lane is held).

    A lane that was not idle keeps its head, so nothing changes for it.
    """
    if not heads:  # stale messages alone hold no lane
        return
    run(
        connection,
        "lane_extend",
        [
            {"destination": lane[0], "lane": lane[1], "due_at": due, "held": int(due is None)}
            for lane, due in sorted(heads.items())
        ],
    )


def lock(connection: Connection, which: Iterable[Lane]) -> dict[Lane, int]:
    """Lock these lanes' rows in sorted order; answers each one's fence."""
    fences: dict[Lane, int] = {}
    for (destination,), part in by_prefix(which):
        found = connection.execute(_FENCES, {"place": destination, "lanes": part})
        fences.update({(row.destination, row.lane): row.fence for row in found})
    return fences


def lock_keys(connection: Connection, which: Iterable[str]) -> None:
    """Nothing more is accepted into these lane keys before the transaction's end. Comes before ``lock``."""
    for part in chunks(sorted(set(which))):
        connection.execute(_KEYS, {"lanes": part}).all()


def refresh(connection: Connection, which: Iterable[Lane], *, release: bool) -> None:
    """Look at the heads of these (locked) lanes and set when they are due; ``release`` also ends their leases."""
    wanted = sorted(set(which))
    if not wanted:
        return
    rows: list[dict[str, Any]] = []
    for destination, lane in wanted:
        found = run(connection, "lane_head", {"destination": destination, "lane": lane}).first()
        waits = found is not None and found.state in {"parked", "dead"}
        rows.append(
            {
                "destination": destination,
                "lane": lane,
                "due_at": None if found is None or waits else found.due_at,
                "held": int(waits),
            }
        )
    run(connection, "lane_release" if release else "lane_refresh", rows)


def lanes_of(connection: Connection, ids: Sequence[str]) -> list[Lane]:
    """The lanes in which these deliveries stand."""
    found: list[Lane] = []
    for part in chunks(ids):
        statement = select(deliveries.c.destination, deliveries.c.lane).where(deliveries.c.id.in_(part)).distinct()
        found.extend((row.destination, row.lane) for row in connection.execute(statement))
    return found
