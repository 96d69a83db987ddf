"""Opening the store: SQLite with its durable settings, or PostgreSQL; and its migrations."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

BUSY_SECONDS = 5.0
"""How long SQLite waits for the other process's write; the writer goes round again a bounded number of times."""

LOG_PAGES = 4000
"""Pages (of 4 KiB) after which SQLite writes its log into the file. With a large store each accept touches pages all
over it, and a short log (1,000 is the default) writes the same pages again and again."""

_NOT_NOW = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL"}

LOCK_SECONDS = 5.0
"""How long PostgreSQL waits for a row that another session holds; the writer goes round again likewise."""

_MIGRATION_LOCK = 727355
"""The advisory lock's number: any that nothing else in the database uses."""


@dataclass(frozen=True, slots=True)
class Database:
    """``writes`` begins transactions that may write, ``reads`` such that never do. Both are one database."""

    url: str
    writes: Engine
    reads: Engine

    @property
    def is_sqlite(self) -> bool:
        return self.writes.dialect.name == "sqlite"

    def close(self) -> None:
        self.writes.dispose()
        self.reads.dispose()


def open_database(url: str, *, synchronous: str = "FULL") -> Database:
    """Open the store at ``url`` (``sqlite:///path`` or ``postgresql://…``) without touching its schema.

    ``synchronous`` is SQLite's; anything below FULL loses accepted messages on power loss and exists for the
    proof's control alone.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        writes = _sqlite(url, "BEGIN IMMEDIATE", synchronous)
        return Database(url, writes, _sqlite(url, "BEGIN", synchronous))
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 10, "pool_timeout": 5}
    writes = create_engine(url, **options)

    @event.listens_for(writes, "begin")
    def _begin(connection: Any) -> None:
        # Without it a session that forgot to end its transaction would hold up every post, and nobody would hear of it.
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}")

    return Database(url, writes, create_engine(url, **options))


def _sqlite(url: str, begin: str, synchronous: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN is deferred: a transaction that reads first and writes later then fails at
        # once when another writer came between, whatever the busy time-out.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _alembic(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config


@contextmanager
def _one_at_a_time(url: str) -> Iterator[None]:
    """Two processes that start at once must not migrate at once; the lock is freed by death."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
                yield
        finally:
            engine.dispose()
        return
    path = Path(f"{parsed.database}.migrate")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class SchemaError(Exception):
    """The store's schema is not one that this program can work with; the text says what to do."""


def upgrade(url: str) -> None:
    """Bring the schema to this program's revision, or leave it untouched: each migration is one transaction.

    Raises SchemaError where the store was made by a newer program.
    """
    with _one_at_a_time(url):
        _upgrade(url)
        _empty_log(url)


def _empty_log(url: str) -> None:
    """Put into the file what SQLite's log holds, and sync it, before anything is added to that log.

    After a failed sync the log as it is read may hold what the disk does not have: what came behind that would be
    lost with it at a power loss. Where another process has the store open, its own view of the log is the right one.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return
    connection = sqlite3.connect(parsed.database, timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname not in _NOT_NOW:
            raise
    finally:
        connection.close()


def _upgrade(url: str) -> None:
    script = ScriptDirectory.from_config(_alembic(url))
    known = {revision.revision for revision in script.walk_revisions()}
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    if current == script.get_current_head():
        return
    if current is not None and current not in known:
        raise SchemaError(
            f"the store is at schema revision {current}, which this version of Arus does not know: "
            "start the newer version that made it, or restore a backup from before the upgrade"
        )
    command.upgrade(_alembic(url), "head")
