"""What waits for whom."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from bus.contract.message import full_type, source_of
from bus.engine.registers import subscriptions, systems
from bus.engine.routing import SUBSCRIPTION
from bus.engine.tables import OPEN, deliveries, messages

from .paging import moment, page, row_of
from .view import View

ENDED = ("delivered", "superseded", "discarded")

STOPPED = ("pending", "retrying", "deferred")
"""States that a pause keeps from going on."""

PAUSED = "paused"


def summary(row: Any) -> dict[str, Any]:
    """One delivery. ``waits`` names the parent record that must come first, ``waits_at`` where it must arrive."""
    return {
        "id": row.id,
        "destination": row.destination,
        "state": row.state,
        "sequence": str(row.sequence),
        "parked": row.parked,
        "waits": row.waits,
        "waits_at": row.waits_at,
        "reason": row.reason,
        "tries": row.attempts,
        "retries": row.retries,
        "due_at": moment(row.due_at) if row.state in {"pending", "retrying", "deferred"} else None,
        "created_at": moment(row.created_at),
        "settled_at": moment(row.settled_at),
        "replay_of": row.replay_of,
    }


def standing(
    connection: Connection,
    view: View,
    states: tuple[str, ...],
    *,
    limit: int,
    cursor: str | None,
    destination: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Deliveries in ``states``, none of them ended, oldest first, each with its message.

    ``reason`` is what a parked one waits for. What would go now but for a pause is shown as parked, ``paused``: it
    need not be written into every row of a backlog, and ends with the pause.
    """
    paused = paused_destinations(connection) if "parked" in states else []
    in_states: ColumnElement[bool] = deliveries.c.state.in_(states)
    if paused:
        in_states = or_(in_states, and_(deliveries.c.destination.in_(paused), deliveries.c.state.in_(STOPPED)))
    statement = select(deliveries.c.seq).where(OPEN, in_states)
    if not view.sees_all:
        statement = statement.join(messages, messages.c.seq == deliveries.c.message).where(view.deliveries())
    after = row_of(cursor)
    if after is not None:
        statement = statement.where(deliveries.c.seq > after)
    if destination is not None:
        statement = statement.where(deliveries.c.destination == destination)
    if reason == PAUSED:
        statement = statement.where(deliveries.c.state.in_(STOPPED))
    elif reason is not None:
        statement = statement.where(deliveries.c.parked == reason)
    # "+ 0" keeps SQLite from going through all deliveries in the order of their key to save the sorting of a few. Of a
    # huge backlog the index is gone through alone; rows and messages are read for the page.
    seqs = [row.seq for row in connection.execute(statement.order_by(deliveries.c.seq + 0).limit(limit + 1))]
    shown = (
        select(deliveries, messages.c.id.label("event_id"), messages.c.source, messages.c.agency)
        .join(messages, messages.c.seq == deliveries.c.message)
        .where(deliveries.c.seq.in_(seqs))
        .order_by(deliveries.c.seq)
    )
    rows = connection.execute(shown).all()
    return page(rows, limit, lambda row: _with_message(row, row.destination in paused))


def paused_destinations(connection: Connection) -> list[str]:
    """Paused systems, and the subscriptions of paused systems."""
    off = select(systems.c.id).where(systems.c.paused_at.is_not(None))
    names = [row.id for row in connection.execute(off)]
    if names:
        theirs = select(subscriptions.c.id).where(
            subscriptions.c.system.in_(names), subscriptions.c.removed_at.is_(None)
        )
        names += [SUBSCRIPTION + row.id for row in connection.execute(theirs)]
    return names


def _with_message(row: Any, paused: bool) -> dict[str, Any]:
    message = {
        "hub_id": f"m{row.message}",
        "id": row.event_id,
        "source": source_of(row.source),
        "type": full_type(row.type),
        "subject": row.subject,
        "agency": row.agency,
    }
    shown = summary(row)
    if paused and row.state in STOPPED:
        shown |= {"state": "parked", "parked": PAUSED, "due_at": None}
    return {**shown, "message": message, "accepted_at": moment(row.accepted_at)}


def find(connection: Connection, view: View, delivery: str) -> Any | None:
    """The row of one delivery, if it may be seen."""
    statement = (
        select(deliveries)
        .join(messages, messages.c.seq == deliveries.c.message)
        .where(deliveries.c.id == delivery, view.deliveries())
    )
    return connection.execute(statement).first()
