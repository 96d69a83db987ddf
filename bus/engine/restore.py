"""A restore: the store as it was at a backup, and marked for what may have happened since.

What was open at the backup may have been delivered afterwards, and the hub cannot know. Each such delivery gets a
"started" row, as a crash in the middle of its attempt would leave it: keyed destinations get it again with the same
key, queryable ones are asked, blind ones wait for a person. Lanes go on above every number that may have been used.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, inspect, literal, select, text, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from bus.contract.clock import MICROSECONDS, to_datetime
from bus.contract.errors import Problem, Refused

from . import archive, audit, controls, lanes, readiness, registers, replay_jobs, sealing
from .archive import Manifest
from .backup import CHAINED, looking, revision_of, sqlite_path
from .claim import reclaim
from .copying import copy_sqlite, load_postgres
from .database import open_database, upgrade
from .dialect import insert
from .schema import METADATA
from .sealing import Head
from .tables import FINAL, deliveries, lane_keys, starts

FLOOR = "sequence-floor"
"""The control below which no lane gives numbers any more."""

LEAST_JUMP = 1_000_000
FASTEST = 10_000
"""Numbers a second that one lane may have used since the backup: more than a hub can accept."""

_PATIENCE = 3.0
"""Seconds to wait for the sessions of processes that just ended to be gone."""

_IN_USE = ("messages", "audit", "rejections", "api_keys", "subscriptions")
"""A store without rows in these holds nothing of anybody."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What may be sent again, by destination: how many ``deliveries``, and of which ``messages`` (their numbers).

    ``replaced`` is the end of the chain in the store that had to go.
    """

    manifest: Manifest
    restored_at: int
    replaced: Head | None
    deliveries: dict[str, int]
    messages: dict[str, list[int]]


def restore(url: str, file: Path, *, now: int, actor: str, force: bool = False) -> Restored:
    """Put the backup ``file`` in the place of the store at ``url``, and mark what may be sent again.

    The caller sees to it that no hub runs in the home. Raises Refused where the file does not fit, where others use
    the store, and, without ``force``, where the store is not empty.
    """
    manifest = archive.read(file)
    path = sqlite_path(url)
    _fits(manifest, "postgresql" if path is None else "sqlite")
    replaced = _replaced(url, force)
    place = file.parent if path is None else path.parent
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".arus-restore-") as folder:
        store = Path(folder) / "store"
        archive.extract(file, store)
        if path is None:
            _load_postgres(url, store, manifest)
            return _finish(url, manifest, replaced, now, actor)
        # The copy is marked before it takes the store's place: a restore that dies leaves the old store.
        restored = _finish(f"sqlite:///{store}", manifest, replaced, now, actor)
        copy_sqlite(store, path)
        return restored


def _fits(manifest: Manifest, kind: str) -> None:
    if manifest.database != kind:
        detail = f"the backup is of {manifest.database}, this store is {kind}: see ARUS_DATABASE_URL"
        raise Refused(Problem("another-database", "Made by another database", 409, detail))
    if manifest.revision > str(readiness.head()):
        detail = f"the backup has schema revision {manifest.revision}: restore it with the newer Arus that made it"
        raise Refused(Problem("schema", "The backup's schema does not fit", 409, detail))


def _replaced(url: str, force: bool) -> Head | None:
    """The end of the chain in the store that goes; None if there is none. Raises Refused."""
    try:
        return _looked_at(url, force)
    except DatabaseError as error:
        if not _is_damaged(error):
            raise
        detail = "move arus.db, arus.db-wal and arus.db-shm to another place, and restore again"
        raise Refused(Problem("store-damaged", "The store is damaged", 409, detail)) from None


def _is_damaged(error: DatabaseError) -> bool:
    return any(words in str(error.orig) for words in ("malformed", "not a database"))


def _looked_at(url: str, force: bool) -> Head | None:
    if sqlite_path(url) is None:
        _nobody_else(url)
    revision = revision_of(url)
    if revision is None:
        return None
    with looking(create_engine(url, poolclass=NullPool)) as connection:
        tables = {*inspect(connection).get_table_names()} & {*_IN_USE}
        used = any(connection.execute(select(METADATA.tables[name].c[0]).limit(1)).first() for name in sorted(tables))
        if used and not force:
            detail = "it would be replaced whole: make a backup of it, then say --force; or use an empty one"
            raise Refused(Problem("store-not-empty", "The store is not empty", 409, detail))
        return sealing.head(connection) if used and revision >= CHAINED else None


def _nobody_else(url: str) -> None:
    until = time.monotonic() + _PATIENCE
    while others := _others(url):
        if time.monotonic() > until:
            detail = f"{others}: stop the hub's processes, and whatever else is connected to its database"
            raise Refused(Problem("store-in-use", "The store is in use", 409, detail))
        time.sleep(0.1)


def _others(url: str) -> str:
    sessions = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with looking(create_engine(url, poolclass=NullPool)) as connection:
        count = connection.execute(sessions).scalar_one()
    return f"{count} other sessions are connected" if count else ""


def _load_postgres(url: str, store: Path, manifest: Manifest) -> None:
    """Tables that the backup does not know go first: a migration will make them again."""
    later = set(METADATA.tables) - set(manifest.tables)
    with looking(create_engine(url, poolclass=NullPool)) as connection:
        for name in sorted(later):
            METADATA.tables[name].drop(connection, checkfirst=True)
        connection.commit()
    load_postgres(url, store)


def _finish(url: str, manifest: Manifest, replaced: Head | None, now: int, actor: str) -> Restored:
    upgrade(url)
    database = open_database(url)
    try:
        with database.writes.begin() as connection:
            floor = _raise_sequences(connection, manifest, now)
            _let_go(connection, now)
            open_ones = _mark(connection, now)
            _tell(connection, manifest, replaced, floor, open_ones, now, actor)
    finally:
        database.close()
    counts = {name: len(rows) for name, rows in open_ones.items()}
    numbers = {name: sorted({row.message for row in rows}) for name, rows in open_ones.items()}
    return Restored(manifest, now, replaced, counts, numbers)


def _raise_sequences(connection: Connection, manifest: Manifest, now: int) -> int:
    """No lane, known or new, gives a number again that a destination may have seen since the backup."""
    highest = connection.execute(select(func.max(lane_keys.c.sequence))).scalar() or 0
    before = connection.execute(select(registers.controls.c.value).where(registers.controls.c.name == FLOOR)).scalar()
    passed = max(now - manifest.made_at, 0) // MICROSECONDS
    floor = max(highest, before or 0) + max(LEAST_JUMP, FASTEST * passed)
    connection.execute(update(lane_keys).values(sequence=floor))
    statement = insert(connection, registers.controls).values(name=FLOOR, value=floor)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": floor}))
    return floor


def _let_go(connection: Connection, now: int) -> None:
    """Whoever held something at the backup holds it no more, and did not die of it."""
    reclaim(connection, now, died=False, kinds={})
    controls.sign_off_all(connection)
    connection.execute(update(registers.feeds).values(lease_owner=None, lease_until=None))
    replay_jobs.fail_all(connection, error="the store was restored: it may have gone further since", now=now)


def _mark(connection: Connection, now: int) -> dict[str, list[Any]]:
    """Every open delivery may have been sent since; answers them by destination."""
    still_open = deliveries.c.state.not_in(FINAL)
    found = select(deliveries.c.seq, literal("restore"), literal(now)).where(still_open)
    statement = insert(connection, starts).from_select(["delivery", "worker", "started_at"], found)
    connection.execute(statement.on_conflict_do_nothing())
    columns = (deliveries.c.destination, deliveries.c.id, deliveries.c.message)
    rows = connection.execute(select(*columns).where(still_open).order_by(deliveries.c.destination, deliveries.c.seq))
    return {name: list(part) for name, part in groupby(rows, key=lambda row: row.destination)}


def _tell(
    connection: Connection,
    manifest: Manifest,
    replaced: Head | None,
    floor: int,
    open_ones: dict[str, list[Any]],
    now: int,
    actor: str,
) -> None:
    """The gap stands in the audit log: from which head to which, and each delivery that may be sent again."""
    detail = {
        "backup_at": to_datetime(manifest.made_at).isoformat(),
        "backup_head": {"position": manifest.audit_position, "hash": manifest.audit_hash},
        "replaced_head": None if replaced is None else asdict(replaced),
        "may_send_again": {name: len(rows) for name, rows in open_ones.items()},
        "sequence_floor": floor,
    }
    audit.note(connection, now, actor, "restored", detail)
    for name, rows in open_ones.items():
        for part in lanes.chunks(rows):
            told = {"destination": name, "deliveries": [row.id for row in part]}
            audit.note(connection, now, actor, "may-send-again", told)
