"""The few things that SQLite and PostgreSQL say differently."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, TextClause, text
from sqlalchemy.dialects import postgresql, sqlite

_QUERIES = Path(__file__).parent / "queries"


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the connection's dialect."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return make(table)


_SUBSCRIBERS = 727356
"""The advisory lock's number; the migrations have the one before."""


def lock_subscribers(connection: Connection, *, change: bool) -> None:
    """Until the transaction's end the list of subscribers stays as it is, or (``change``) is ours to change.

    Whoever changes it so waits for every accept that read the old list: none can commit behind the change. SQLite,
    with its one writer, needs no lock.
    """
    if connection.dialect.name == "postgresql":
        name = "pg_advisory_xact_lock" if change else "pg_advisory_xact_lock_shared"
        connection.execute(text(f"SELECT {name}(:number)"), {"number": _SUBSCRIBERS})


def query(connection: Connection, name: str) -> TextClause:
    """The statement in ``queries/<name>.sql``.

    A comment ``/*pg … */`` in it is text for PostgreSQL alone: SQLite, with its one writer, needs no row locks.
    """
    return _load(name, connection.dialect.name)


@cache
def _load(name: str, dialect: str) -> TextClause:
    statement = (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    if dialect == "postgresql":
        statement = statement.replace("/*pg", "").replace("*/", "")
    return text(statement)
