"""The demo's figures, from the hub's store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func, select

from bus.engine.database import Database
from bus.engine.registers import rejections
from bus.engine.tables import deliveries, messages

OPEN = ("pending", "delivering", "retrying", "deferred")


def figures(database: Database, systems: Iterable[str]) -> dict[str, Any]:
    """``accepted delivered rejected parked dead superseded`` of all, and by system."""
    with database.reads.connect() as connection:
        accepted = _by(connection, messages.c.source)
        refused = _by(connection, rejections.c.system)
        states = {
            (row.destination, row.state): row.number
            for row in connection.execute(
                select(deliveries.c.destination, deliveries.c.state, func.count().label("number")).group_by(
                    deliveries.c.destination, deliveries.c.state
                )
            )
        }
    by_system = {
        system: {
            "accepted": accepted.get(system, 0),
            "rejected": refused.get(system, 0),
            **{state: states.get((system, state), 0) for state in ("delivered", "parked", "dead", "superseded")},
        }
        for system in systems
    }
    names = ("accepted", "delivered", "rejected", "parked", "dead", "superseded")
    whole = {name: sum(system[name] for system in by_system.values()) for name in names}
    return {**whole, "systems": by_system}


def open_deliveries(database: Database) -> int:
    """Deliveries that are still on their way."""
    statement = select(func.count()).select_from(deliveries).where(deliveries.c.state.in_(OPEN))
    with database.reads.connect() as connection:
        return int(connection.execute(statement).scalar_one())


def accepted(database: Database, system: str) -> int:
    statement = select(func.count()).select_from(messages).where(messages.c.source == system)
    with database.reads.connect() as connection:
        return int(connection.execute(statement).scalar_one())


def delivered(database: Database, destination: str) -> int:
    statement = (
        select(func.count())
        .select_from(deliveries)
        .where(deliveries.c.destination == destination, deliveries.c.state == "delivered")
    )
    with database.reads.connect() as connection:
        return int(connection.execute(statement).scalar_one())


def _by(connection: Connection, column: Any) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(select(column, func.count()).group_by(column))}
