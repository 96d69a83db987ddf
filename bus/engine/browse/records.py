"""The record of a key: its present state, its versions, and its replicas at the destinations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from bus.contract.message import full_type, source_of
from bus.engine.tables import messages, records, replicas

from .paging import moment
from .view import View

VERSIONS = 100
"""Versions shown, newest first."""

PORTION = 1000


def record(connection: Connection, view: View, kind: str, key: str) -> dict[str, Any] | None:
    """None where there is none, or none that may be seen."""
    statement = (
        select(records, messages.c.data)
        .join(messages, messages.c.seq == records.c.message)
        .where(records.c.type == kind, records.c.key == key, view.messages())
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    return {
        "type": full_type(kind),
        "key": key,
        "version": row.version,
        "deleted": bool(row.deleted),
        "agency": row.agency,
        "updated_at": moment(row.updated_at),
        "data": json.loads(row.data),
        "versions": _versions(connection, view, kind, key),
        "replicas": _replicas(connection, view, kind, key),
    }


def _versions(connection: Connection, view: View, kind: str, key: str) -> list[dict[str, Any]]:
    statement = (
        select(
            messages.c.seq,
            messages.c.version,
            messages.c.source,
            messages.c.id,
            messages.c.op,
            messages.c.time,
            messages.c.accepted_at,
        )
        .where(messages.c.type == kind, messages.c.subject == key, view.messages())
        .order_by(messages.c.seq.desc())
        .limit(VERSIONS)
    )
    return [
        {
            "version": row.version,
            "stale": row.version is None,
            "message": f"m{row.seq}",
            "source": source_of(row.source),
            "id": row.id,
            "op": row.op,
            "time": moment(row.time),
            "accepted_at": moment(row.accepted_at),
        }
        for row in connection.execute(statement)
    ]


def _replicas(connection: Connection, view: View, kind: str, key: str) -> list[dict[str, Any]]:
    statement = (
        select(replicas)
        .join(messages, messages.c.seq == replicas.c.message)
        .where(replicas.c.type == kind, replicas.c.key == key)
        .order_by(replicas.c.destination)
    )
    visible = (
        view.own_messages() if view.sees_all else view.own_messages() | replicas.c.destination.in_(view.destinations)
    )
    return [
        {
            "destination": row.destination,
            "version": row.version,
            "sequence": str(row.sequence),
            "deleted": bool(row.deleted),
            "message": f"m{row.message}",
            "delivered_at": moment(row.delivered_at),
        }
        for row in connection.execute(statement.where(visible))
    ]


def export(connection: Connection, view: View, kind: str) -> Iterator[dict[str, Any]]:
    """Every living record of a type, by key: {"key", "version", "data"}."""
    after = ""
    while True:
        statement = (
            select(records.c.key, records.c.version, messages.c.data)
            .join(messages, messages.c.seq == records.c.message)
            .where(records.c.type == kind, records.c.deleted == 0, records.c.key > after, view.messages())
            .order_by(records.c.key)
            .limit(PORTION)
        )
        rows = connection.execute(statement).all()
        for row in rows:
            yield {"key": row.key, "version": row.version, "data": json.loads(row.data)}
        if len(rows) < PORTION:
            return
        after = rows[-1].key
