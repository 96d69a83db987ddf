"""A backup of the store, while the hub runs: everything in it is of one moment."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bus.contract.errors import Problem, Refused

from . import archive, readiness, sealing
from .archive import Manifest
from .copying import copy_sqlite, dump_postgres
from .database import upgrade
from .registers import audit
from .schema import METADATA
from .tables import FINAL, deliveries, messages

CHAINED = "0002"
"""The revision since which audit rows are chained; an older store can be saved before it is migrated."""


def backup(url: str, file: Path, *, now: int, overwrite: bool = False) -> Manifest:
    """Save the store at ``url`` into ``file``; it is not migrated. ``now`` is in microseconds.

    Raises Refused where the file exists, the store is damaged or PostgreSQL's programs are missing.
    """
    if file.exists() and not overwrite:
        detail = f"{file.name} exists: choose another name, or say --overwrite"
        raise Refused(Problem("file-exists", "The file exists", 409, detail))
    if revision_of(url) is None:
        upgrade(url)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".arus-backup-") as folder:
        store = Path(folder) / "store"
        path = sqlite_path(url)
        manifest = _save_postgres(url, store, now) if path is None else _save_sqlite(path, store, now)
        archive.write(file, manifest, store)
    return manifest


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite store; None for PostgreSQL."""
    parsed = make_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def revision_of(url: str) -> str | None:
    """The schema's revision; None where there is no store yet."""
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return None
    with looking(create_engine(url, poolclass=NullPool)) as connection:
        return readiness.revision(connection)


@contextlib.contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """One connection of an engine that is gone afterwards."""
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _save_sqlite(path: Path, store: Path, now: int) -> Manifest:
    copy_sqlite(path, store)
    place = f"{store.absolute().as_uri()}?mode=ro&immutable=1"  # nobody else has the copy
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(place, uri=True), poolclass=NullPool)
    with looking(engine) as connection:
        _check(connection)
        return _manifest(connection, "sqlite", now)


def _check(connection: Connection) -> None:
    try:
        told = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
    except sqlite3.DatabaseError as error:
        told = str(error)
    if told != "ok":
        detail = "SQLite finds the store damaged: keep the last good backup, and look at the disk"
        raise Refused(Problem("store-damaged", "The store is damaged", 409, detail))


def _save_postgres(url: str, store: Path, now: int) -> Manifest:
    with looking(create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")) as connection:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        manifest = _manifest(connection, "postgresql", now)
        dump_postgres(url, snapshot, store)
    return manifest


def _manifest(connection: Connection, database: str, now: int) -> Manifest:
    revision = str(readiness.revision(connection))
    chained = revision >= CHAINED
    head = sealing.head(connection) if chained else sealing.Head()
    count = select(func.count())
    unsealed = count.select_from(audit).where(audit.c.position.is_(None)) if chained else count.select_from(audit)
    still_open = (
        select(deliveries.c.destination, func.count())
        .where(deliveries.c.state.not_in(FINAL))
        .group_by(deliveries.c.destination)
        .order_by(deliveries.c.destination)
    )
    return Manifest(
        made_at=now,
        database=database,
        revision=revision,
        audit_position=head.position,
        audit_hash=head.hash,
        unsealed=connection.execute(unsealed).scalar_one(),
        messages=connection.execute(count.select_from(messages)).scalar_one(),
        deliveries=connection.execute(count.select_from(deliveries)).scalar_one(),
        open={row[0]: row[1] for row in connection.execute(still_open)},
        tables=tuple(sorted(set(inspect(connection).get_table_names()) & {*METADATA.tables})),
    )
