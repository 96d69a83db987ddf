"""Can this process work: the store takes a write, and its schema is the one that the program knows."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from .dialect import insert
from .registers import controls

_PROBE = "probe"


def head() -> str | None:
    """The revision of the schema that this program knows."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def revision(connection: Connection) -> str | None:
    """The revision that the store has."""
    return MigrationContext.configure(connection).get_current_revision()


def probe(connection: Connection, now: int) -> None:
    """A real write of one row: a full or read-only disk shows here."""
    statement = insert(connection, controls).values(name=_PROBE, value=now)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": now}))
