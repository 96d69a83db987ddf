"""The acts of a person on one delivery: replay, resolve. Each leaves an audit row."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, select, update

from bus.contract.errors import Problem, Refused

from . import audit, lanes, parents, replaying
from .dialect import insert
from .routing import Routing
from .superseding import supersede
from .tables import deliveries, replicas


def _row(connection: Connection, delivery: str, *, overwrite: bool = False) -> Any:
    """The delivery with what may come of it, its lane locked: what we see then stays so."""
    seq = connection.execute(select(deliveries.c.seq).where(deliveries.c.id == delivery)).scalar()
    if seq is None:
        raise Refused(Problem("not-found", "Not found", 404, "no such delivery"))
    return replaying.looked_at(connection, [seq], overwrite=overwrite)[0]


def replay(
    connection: Connection, delivery: str, *, actor: str, now: int, overwrite: bool = False, reason: str = ""
) -> str:
    """Send again (see ``replaying``); answers the id of the delivery that will be sent.

    Refuses what is on its way already, and what would overwrite a newer version of the record unless ``overwrite``.
    """
    sent = _again(connection, _row(connection, delivery, overwrite=overwrite), now)
    audit.note(connection, now, actor, "replayed", {"delivery": delivery, "sent": sent, "reason": reason})
    return sent


def _again(connection: Connection, row: Any, now: int) -> str:
    sent = replaying.send_again(connection, [row], now)
    if row.id not in sent:
        raise replaying.refusal(row)
    return sent[row.id]


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
    if row.state not in replaying.WAITING:
        detail = f"the delivery is {row.state}; only parked and dead ones wait for a person"
        raise Refused(Problem("not-waiting", "Nothing to decide", 409, detail))
    if verdict == "retry":
        _again(connection, row, now)
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
