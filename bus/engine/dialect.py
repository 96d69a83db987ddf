"""The few things that SQLite and PostgreSQL say differently."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Table, TextClause, text
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


def run(
    connection: Connection, name: str, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> CursorResult[Any]:
    """Run the statement in ``queries/<name>.sql`` by the driver itself, once or for each of many values.

    The hot path: nothing is compiled, and values pass as they are.
    """
    return connection.exec_driver_sql(_driver(name, connection.dialect.name), values)


def message_numbers(connection: Connection, count: int) -> list[int]:
    """The next ``count`` keys of messages, rising."""
    if connection.dialect.name == "postgresql":
        rows = connection.execute(text("SELECT nextval('messages_seq_seq') FROM generate_series(1, :n)"), {"n": count})
        return [row[0] for row in rows]
    # SQLite has one writer, and we hold the write lock.
    last = connection.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM messages").scalar_one()
    return list(range(last + 1, last + count + 1))


@cache
def _driver(name: str, dialect: str) -> str:
    statement = _load(name, dialect).text
    if dialect == "postgresql":
        return _NAMED.sub(r"%(\1)s", statement.replace("%", "%%"))
    return statement


_NAMED = re.compile(r"(?<!:):([a-z_]+)")


@cache
def _load(name: str, dialect: str) -> TextClause:
    statement = (_QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    if dialect == "postgresql":
        statement = statement.replace("/*pg", "").replace("*/", "")
    return text(statement)
