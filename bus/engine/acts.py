"""The acts of a person on one delivery: replay, resolve. Each leaves an audit row."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from bus.contract.errors import Problem, Refused

from . import audit, lanes, parents
from .dialect import insert
from .routing import Routing
from .superseding import supersede
from .tables import deliveries, messages, records, replicas

WAITING = ("parked", "dead")


def _not_found() -> Refused:
    return Refused(Problem("not-found", "Not found", 404, "no such delivery"))


def _row(connection: Connection, delivery: str) -> Any:
    """The delivery, with its lane locked: what we see then stays so."""
    found = lanes.lanes_of(connection, [delivery])
    if not found:
        raise _not_found()
    lanes.lock(connection, found)
    statement = (
        select(deliveries, messages.c.version, messages.c.op, messages.c.seq.label("message_seq"))
        .join(messages, messages.c.seq == deliveries.c.message)
        .where(deliveries.c.id == delivery)
    )
    return connection.execute(statement).one()


def replay(
    connection: Connection, delivery: str, *, actor: str, now: int, overwrite: bool = False, reason: str = ""
) -> str:
    """Send again. Parked or dead: that delivery goes on, with its key. Delivered: a new one at the lane's end.

    Answers the id of the delivery that will be sent. Refuses what is on its way already, and what would overwrite
    a newer version of the record unless ``overwrite``.
    """
    row = _row(connection, delivery)
    if row.state in WAITING:
        _guard_passed(connection, row)
        _resume(connection, row, now)
        sent = delivery
    elif row.state == "delivered":
        _guard_newer(connection, row, overwrite)
        sent = _again(connection, row, now)
    else:
        raise Refused(
            Problem("not-replayable", "Not replayable", 409, f"the delivery is {row.state}: nothing to replay")
        )
    audit.note(connection, now, actor, "replayed", {"delivery": delivery, "sent": sent, "reason": reason})
    return sent


def _resume(connection: Connection, row: Any, now: int) -> None:
    connection.execute(
        update(deliveries)
        .where(deliveries.c.seq == row.seq)
        .values(
            state="pending",
            holds=1,
            retries=0,
            due_at=now,
            parked=None,
            waits=None,
            waits_at=None,
            reason=None,
            token=None,
            alone=0,
            deaths=0,
            settled_at=None,
        )
    )
    lanes.refresh(connection, [(row.destination, row.lane)], release=False)


def _guard_newer(connection: Connection, row: Any, overwrite: bool) -> None:
    newest = connection.execute(
        select(records.c.version).where(records.c.type == row.type, records.c.key == row.subject)
    ).scalar_one()
    if not overwrite and row.version is not None and newest > row.version:
        raise Refused(
            Problem(
                "newer-version",
                "A newer version exists",
                409,
                f"version {row.version} would overwrite version {newest}; say overwrite to do so",
            )
        )


def _guard_passed(connection: Connection, row: Any) -> None:
    """A dead delivery holds nobody: a later version may have been tried, and may have arrived.

    Not even who wants to overwrite may go before it then: the hub would believe in the later version ever after.
    """
    columns = deliveries.c
    passed = connection.execute(
        select(columns.seq).where(
            columns.destination == row.destination,
            columns.lane == row.lane,
            columns.holds == 1,
            columns.sequence > row.sequence,
            columns.attempts > 0,
            columns.type == row.type,
            columns.subject == row.subject,
        )
    ).first()
    if passed is not None:
        detail = "a later version of the record is being sent; once it is delivered, this one is superseded"
        raise Refused(Problem("newer-version", "A newer version is on its way", 409, detail))


def _again(connection: Connection, row: Any, now: int) -> str:
    sequence = lanes.next_sequences(connection, {row.lane: 1})[row.lane]
    key = uuid.uuid4().hex
    connection.execute(
        deliveries.insert().values(
            id=key,
            message=row.message,
            destination=row.destination,
            route=row.route,
            type=row.type,
            subject=row.subject,
            lane=row.lane,
            sequence=sequence,
            state="pending",
            holds=1,
            attempts=0,
            retries=0,
            due_at=now,
            alone=0,
            deaths=0,
            replay_of=row.id,
            created_at=now,
            accepted_at=now,
        )
    )
    lanes.extend(connection, {(row.destination, row.lane): now})
    return key


def resolve(
    connection: Connection,
    routing: Routing,
    delivery: str,
    verdict: Literal["delivered", "retry", "discard"],
    *,
    actor: str,
    now: int,
    reason: str,
) -> str:
    """A person decides on a parked or dead delivery; answers its new state."""
    row = _row(connection, delivery)
    if row.state not in WAITING:
        detail = f"the delivery is {row.state}; only parked and dead ones wait for a person"
        raise Refused(Problem("not-waiting", "Nothing to decide", 409, detail))
    if verdict == "retry":
        _guard_passed(connection, row)
        _resume(connection, row, now)
        state = "pending"
    else:
        state = "delivered" if verdict == "delivered" else "discarded"
        connection.execute(
            update(deliveries)
            .where(deliveries.c.seq == row.seq)
            .values(state=state, holds=0, parked=None, waits=None, waits_at=None, reason=reason, settled_at=now)
        )
        if verdict == "delivered":
            _arrived(connection, routing, row, now)
        lanes.refresh(connection, [(row.destination, row.lane)], release=False)
    audit.note(connection, now, actor, "resolved", {"delivery": delivery, "as": verdict, "reason": reason})
    return state


def _arrived(connection: Connection, routing: Routing, row: Any, now: int) -> None:
    statement = insert(connection, replicas).values(
        destination=row.destination,
        type=row.type,
        key=row.subject,
        message=row.message_seq,
        version=row.version,
        sequence=row.sequence,
        deleted=int(row.op == "delete"),
        delivered_at=now,
    )
    columns = ("message", "version", "sequence", "deleted", "delivered_at")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["destination", "type", "key"], set_={name: statement.excluded[name] for name in columns}
        )
    )
    older = supersede(
        connection,
        row.destination,
        row.type,
        row.subject,
        message=row.message_seq,
        accepted_at=row.accepted_at,
        now=now,
    )
    touched = parents.release(connection, routing, [(row.type, row.subject)], now)
    touched.extend((one.destination, one.lane) for one in older)
    lanes.lock(connection, touched)
    lanes.refresh(connection, touched, release=False)
