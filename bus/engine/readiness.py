"""Can this process work: the store takes a write, and its schema is the one that the program knows."""

from __future__ import annotations

import os
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from .database import Database
from .dialect import insert
from .registers import controls
from .store_faults import DiskFull

_PROBE = "probe"

ROOM = 2**20
"""Bytes that must be free."""


def head() -> str | None:
    """The revision of the schema that this program knows."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def revision(connection: Connection) -> str | None:
    """The revision that the store has."""
    return MigrationContext.configure(connection).get_current_revision()


def look_for_room(database: Database) -> None:
    """Raises DiskFull where SQLite's disk has less left than a few groups of messages need.

    One row may still fit into what the log of SQLite holds already, when nothing larger does.
    """
    place = make_url(database.url).database
    if not database.is_sqlite or not place:
        return
    disk = os.statvfs(place)
    blocks = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    if blocks * disk.f_frsize < ROOM:
        raise DiskFull(f"less than {ROOM} bytes are free")


def probe(connection: Connection, now: int) -> None:
    """A real write of one row: a full or read-only disk shows here."""
    statement = insert(connection, controls).values(name=_PROBE, value=now)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": now}))
