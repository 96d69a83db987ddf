"""Which messages are there, and what became of one."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from bus.contract.clock import to_datetime
from bus.contract.message import Message, full_type, source_of
from bus.engine.registers import systems
from bus.engine.tables import OPEN, attempts, deliveries, messages

from . import deliveries as delivery_rows
from .paging import moment, page, row_of
from .view import View

PREFIX = "m"
"""A hub id is ``m`` and the number of acceptance: ids of posters may meet, these never do."""


@dataclass(frozen=True, slots=True)
class Filter:
    """``type`` short, ``source`` a system, ``state`` of one of its deliveries, moments of acceptance, free ``text``."""

    type: str | None = None
    source: str | None = None
    id: str | None = None
    subject: str | None = None
    state: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None


def search(connection: Connection, view: View, wanted: Filter, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """One page, newest first."""
    statement = _filtered(select(*_SUMMARY), wanted, view).where(view.messages())
    after = row_of(cursor)
    if after is not None:
        statement = statement.where(messages.c.seq < after)
    rows = connection.execute(statement.order_by(messages.c.seq.desc()).limit(limit + 1)).all()
    counts = _states(connection, view, [row.seq for row in rows[:limit]])
    return page(rows, limit, lambda row: {**_summary(row), "deliveries": counts.get(row.seq, {})})


def find(connection: Connection, view: View, name: str, source: str | None = None) -> Any | None:
    """The row of one message: by hub id, else by the id that its poster gave it, where only one is meant."""
    statement = select(messages).where(view.messages())
    if source is None and name.startswith(PREFIX) and name[1:].isdecimal() and len(name) < 20:
        row = connection.execute(statement.where(messages.c.seq == int(name[1:]))).first()
        if row is not None:
            return row
    sources = [source] if source else [row.id for row in connection.execute(select(systems.c.id))]
    named = statement.where(messages.c.source.in_(sources), messages.c.id == name)
    rows = connection.execute(named.limit(2)).all()
    return rows[0] if len(rows) == 1 else None


def story(connection: Connection, view: View, row: Any) -> dict[str, Any]:
    """The whole story of one message: as received, canonical, and each delivery with its attempts.

    Who only receives it sees its own deliveries alone, and not the raw form. ``suspect``: a worker died with it in
    hand, and it is sent by itself since.
    """
    own = connection.execute(select(messages.c.seq).where(messages.c.seq == row.seq, view.own_messages())).first()
    statement = select(deliveries).join(messages, messages.c.seq == deliveries.c.message)
    statement = statement.where(deliveries.c.message == row.seq, view.deliveries()).order_by(deliveries.c.seq)
    found = connection.execute(statement).all()
    tries = _attempts(connection, [one.seq for one in found])
    told = _summary(row)
    told["deliveries"] = [
        {
            **delivery_rows.summary(one),
            "route": one.route,
            "suspect": bool(one.alone),
            "attempts": tries[one.seq],
        }
        for one in found
    ]
    told["envelope"] = message_of(row).event(row.sequence)
    told["canonical"] = json.loads(row.data)
    told["raw"], told["raw_base64"] = _raw(row.raw) if own is not None else (None, None)
    return told


def message_of(row: Any) -> Message:
    """The message as sinks see it."""
    return Message(
        id=row.id,
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
    )


_SUMMARY = [column for column in messages.c if column.name not in {"data", "raw", "content", "lane"}]


def _filtered(statement: Select[Any], wanted: Filter, view: View) -> Select[Any]:
    exact = {"type": wanted.type, "source": wanted.source, "id": wanted.id, "subject": wanted.subject}
    for name, value in exact.items():
        if value is not None:
            statement = statement.where(messages.c[name] == value)
    if wanted.since is not None:
        statement = statement.where(messages.c.accepted_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(messages.c.accepted_at < wanted.until)
    if wanted.state is not None:
        statement = statement.where(_has_delivery(wanted.state, view))
    if wanted.text:
        columns = (messages.c.subject, messages.c.id, messages.c.data)
        statement = statement.where(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
    return statement


def _has_delivery(state: str, view: View) -> ColumnElement[bool]:
    """Few deliveries are open: they are looked up first. Most have ended: each message is asked for its own.

    Only deliveries that the caller may see count: how another's stands is another's business.
    """
    in_state = select(deliveries.c.message).where(deliveries.c.state == state).correlate(messages)
    if state in delivery_rows.ENDED:
        return in_state.where(deliveries.c.message == messages.c.seq, view.deliveries()).exists()
    standing = messages.c.seq.in_(in_state.where(OPEN))
    if view.sees_all:
        return standing
    # Neither list names the outer row: one that did would be made anew for each message.
    given = messages.c.seq.in_(in_state.where(OPEN, deliveries.c.destination.in_(view.destinations)))
    return and_(standing, or_(view.own_messages(), given))


def _summary(row: Any) -> dict[str, Any]:
    return {
        "hub_id": f"{PREFIX}{row.seq}",
        "id": row.id,
        "source": source_of(row.source),
        "type": full_type(row.type),
        "subject": row.subject,
        "op": row.op,
        "time": row.time_text or moment(row.time),
        "accepted_at": moment(row.accepted_at),
        "agency": row.agency,
        "feed": row.feed,
        "sequence": str(row.sequence),
        "posted_sequence": None if row.posted_sequence is None else str(row.posted_sequence),
        "partitionkey": row.partition,
        "version": row.version,
        "stale": row.version is None,
    }


def _states(connection: Connection, view: View, seqs: list[int]) -> dict[int, dict[str, int]]:
    """How many deliveries of each message stand in each state."""
    statement = (
        select(deliveries.c.message, deliveries.c.state, func.count().label("count"))
        .join(messages, messages.c.seq == deliveries.c.message)
        .where(deliveries.c.message.in_(seqs), view.deliveries())
        .group_by(deliveries.c.message, deliveries.c.state)
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for message, state, count in connection.execute(statement):
        found[message][state] = count
    return found


def _attempts(connection: Connection, seqs: list[int]) -> dict[int, list[dict[str, Any]]]:
    statement = select(attempts).where(attempts.c.delivery.in_(seqs)).order_by(attempts.c.seq)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(statement):
        found[row.delivery].append(
            {
                "number": row.number,
                "started_at": moment(row.started_at),
                "ended_at": moment(row.ended_at),
                "outcome": row.outcome,
                "status": row.status,
                "at": row.at,
                "detail": row.detail,
                "mapping": row.mapping,
            }
        )
    return found


def _raw(raw: bytes | None) -> tuple[str | None, str | None]:
    """As text where it is text, else in base64."""
    if raw is None:
        return None, None
    try:
        return bytes(raw).decode("utf-8"), None
    except UnicodeDecodeError:
        return None, base64.b64encode(raw).decode()
