"""Who takes part: systems, their keys, their subscriptions. Never a secret."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from bus.engine import subscribing
from bus.engine.registers import api_keys, systems

from .paging import moment
from .view import View


def listed(connection: Connection, view: View) -> list[dict[str, Any]]:
    """The systems, by id."""
    rows = connection.execute(select(systems).where(view.systems()).order_by(systems.c.id))
    return [
        {
            "system": row.id,
            "title": row.title,
            "agency": row.agency,
            "external": bool(row.external),
            "paused": row.paused_at is not None,
            "paused_at": moment(row.paused_at),
            "paused_reason": row.paused_reason,
        }
        for row in rows
    ]


def keys(connection: Connection, system: str | None = None) -> list[dict[str, Any]]:
    """API keys, without anything that a caller could use."""
    statement = select(api_keys).order_by(api_keys.c.system, api_keys.c.created_at)
    if system is not None:
        statement = statement.where(api_keys.c.system == system)
    return [
        {
            "id": row.id,
            "system": row.system,
            "scopes": row.scopes.split(","),
            "created_at": moment(row.created_at),
            "revoked_at": moment(row.revoked_at),
        }
        for row in connection.execute(statement)
    ]


def subscriptions(connection: Connection, view: View) -> list[dict[str, Any]]:
    """Living subscriptions; the secret was shown once, when it was made."""
    return [
        {
            "id": one.id,
            "system": one.system,
            "url": one.url,
            "types": list(one.types),
            "from": one.start,
        }
        for one in subscribing.live(connection, view.system)
    ]
