"""Claiming: a worker leases due lanes, oldest first, in sets, and takes the first deliveries of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from bus.contract.clock import MICROSECONDS, to_datetime
from bus.contract.message import Message, source_of

from . import audit, lanes
from .dialect import run
from .routing import Routing
from .tables import OPEN, deliveries, messages, starts
from .tables import lanes as lane_rows

SENDABLE = frozenset({"pending", "retrying", "deferred", "delivering"})
"""States in which a claimed delivery may be attempted; ``delivering`` is what a dead worker left."""

DEATHS = 3
"""A delivery that ran alone when its worker died, this many times, is poison."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One claimed delivery. ``started``: an earlier attempt began at a destination without keys and never ended."""

    seq: int
    key: str
    route: str
    sequence: int
    state: str
    attempt: int
    retries: int
    token: str | None
    alone: bool
    started: bool
    accepted_at: int
    message_seq: int
    version: int | None
    message: Message


@dataclass(slots=True)
class ClaimedLane:
    """A leased lane. ``fence`` must still be the lane's when it is settled."""

    destination: str
    lane: str
    fence: int
    lease_until: int
    deliveries: list[Claimed] = field(default_factory=list)


def claim(
    connection: Connection, destination: str, now: int, *, owner: str, width: int, depth: int, lease: float
) -> list[ClaimedLane]:
    """Lease up to ``width`` due lanes for ``lease`` seconds and mark up to ``depth`` deliveries of each delivering."""
    until = now + int(lease * MICROSECONDS)
    wanted = {"destination": destination, "now": now, "until": until, "owner": owner, "lanes": width}
    rows = run(connection, "claim_lanes", wanted).all()
    claimed = [ClaimedLane(destination, row.lane, row.fence, until) for row in rows]
    for lane in claimed:
        line = {"destination": destination, "lane": lane.lane, "depth": depth}
        lane.deliveries = _sendable(run(connection, "claim_line", line), now)
    _mark(connection, claimed)
    idle = [(destination, lane.lane) for lane in claimed if not lane.deliveries]
    lanes.refresh(connection, idle, release=True)
    return [lane for lane in claimed if lane.deliveries]


def has_due(connection: Connection, destination: str, now: int) -> bool:
    """Whether a worker that came to ``destination`` now would find work."""
    columns = lane_rows.c
    statement = (
        select(columns.lane)
        .where(
            columns.destination == destination,
            columns.due_at.is_not(None),
            columns.due_at <= now,
            (columns.lease_until.is_(None)) | (columns.lease_until <= now),
        )
        .limit(1)
    )
    return connection.execute(statement).first() is not None


def _sendable(rows: Iterable[Any], now: int) -> list[Claimed]:
    """The lane's line up to the first that may not go now; a suspect one goes alone."""
    line: list[Claimed] = []
    for row in rows:
        if row.state not in SENDABLE or row.due_at > now:
            break
        if row.alone and line:
            break
        line.append(_claimed(row))
        if row.alone:
            break
    return line


def _claimed(row: Any) -> Claimed:
    return Claimed(
        seq=row.seq,
        key=row.id,
        route=row.route,
        sequence=row.sequence,
        state=row.state,
        attempt=row.attempts + 1,
        retries=row.retries,
        token=row.token,
        alone=bool(row.alone),
        started=bool(row.started),
        accepted_at=row.accepted_at,
        message_seq=row.message,
        version=row.version,
        message=Message(
            id=row.message_id,
            source=source_of(row.source),
            type=row.type,
            subject=row.subject,
            time=to_datetime(row.time),
            op=row.op,
            data=json.loads(row.data),
            agency=row.agency,
            partition=row.partition,
            traceparent=row.traceparent,
            time_text=row.time_text,
        ),
    )


def _mark(connection: Connection, claimed: list[ClaimedLane]) -> None:
    rows = [{"seq": one.seq} for lane in claimed for one in lane.deliveries]
    if rows:
        run(connection, "claim_mark", rows)


def start(
    connection: Connection, heads: Sequence[tuple[ClaimedLane, int]], now: int, *, owner: str, alone: bool
) -> bool:
    """Commit before sending to a destination without keys (or alone): a crash then leaves only true starts.

    ``heads`` are lanes with the delivery (its ``seq``) to be attempted. False, and nothing is written, where the
    lease of one was taken over: its attempt is another worker's now.
    """
    fences = lanes.lock(connection, [(lane.destination, lane.lane) for lane, _ in heads])
    if any(fences.get((lane.destination, lane.lane)) != lane.fence for lane, _ in heads):
        return False
    for _, seq in heads:
        connection.execute(starts.delete().where(starts.c.delivery == seq))
        connection.execute(starts.insert().values(delivery=seq, worker=owner, started_at=now))
        if alone:
            connection.execute(update(deliveries).where(deliveries.c.seq == seq).values(alone=2))
    return True


def reclaim(
    connection: Connection,
    now: int,
    *,
    died: bool,
    kinds: Mapping[str, str],
    routing: Routing | None = None,
    owner: str | None = None,
) -> int:
    """Take back every lease (of ``owner``, if given): whoever held them lives no more.

    ``died``: it did not stop, it died at work.

    What it had claimed then runs singly; a delivery that ran alone three times at a death is poison. ``kinds`` are
    the sink classes by destination: a start at a destination that takes keys is no ambiguity and is forgotten.
    Poison holds an explicit partition as any dead delivery does, unless ``routing`` says that its route continues.
    """
    columns = deliveries.c
    leased: ColumnElement[bool] = lane_rows.c.owner.is_not(None) if owner is None else lane_rows.c.owner == owner
    # Locked before looking: who was taken for dead may be settling just now, and what it settled stays settled.
    held = connection.execute(select(lane_rows.c.destination, lane_rows.c.lane).where(leased)).all()
    lanes.lock(connection, [(row.destination, row.lane) for row in held])
    query = (
        select(deliveries, messages.c.partition)
        .join(messages, messages.c.seq == columns.message)
        .where(OPEN, columns.state == "delivering")
    )
    if owner is not None:
        theirs = (lane_rows.c.destination == columns.destination) & (lane_rows.c.lane == columns.lane)
        query = query.join(lane_rows, theirs).where(leased)
    rows = connection.execute(query).all()
    statement = (
        update(deliveries)
        .where(columns.seq == bindparam("the_seq"))
        .values(**{name: bindparam(name) for name in ("state", "alone", "deaths", "reason", "holds", "due_at")})
    )
    changes = [_after(row, now, died, routing) for row in rows]
    if changes:
        connection.execute(statement, changes)
    keyed = [row.seq for row in rows if kinds.get(row.destination, "keyed") == "keyed"]
    for part in lanes.chunks(keyed):
        connection.execute(starts.delete().where(starts.c.delivery.in_(part)))
    connection.execute(
        update(lane_rows).where(leased).values(lease_until=None, owner=None, fence=lane_rows.c.fence + 1)
    )
    lanes.refresh(connection, {(row.destination, row.lane) for row in rows}, release=True)
    if rows:
        audit.note(connection, now, "hub", "reclaimed", {"deliveries": [row.seq for row in rows], "died": died})
    return len(rows)


def _after(row: Any, now: int, died: bool, routing: Routing | None) -> dict[str, Any]:
    ran_alone = row.alone == 2
    deaths = row.deaths + int(died and ran_alone)
    poison = deaths >= DEATHS
    route = routing.routes.get(row.route) if routing else None
    holds = not poison or (row.partition is not None and (route is None or route.on_dead == "hold"))
    return {
        "the_seq": row.seq,
        "state": "dead" if poison else "pending" if row.attempts <= 1 else "retrying",
        "alone": int(died or bool(row.alone)),
        "deaths": deaths,
        "reason": "poison: the worker died three times while sending it alone" if poison else None,
        "holds": int(holds),
        "due_at": now,
    }
