"""What a store's error means for the work at hand: it passes, it has to wait for people, or nothing can be trusted."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError


class StoreUnavailable(Exception):
    """The store cannot take a write now (read-only, locked, server gone). Nothing was stored."""


class DiskFull(StoreUnavailable):
    """There is no room for the write. Nothing was stored; what was stored before stays, and can be read."""


class SyncFailed(StoreUnavailable):
    """The disk did not take what it was told to keep, and a second sync may say "done" without having done it.

    Whoever meets this must open the store anew before writing again.
    """


_PASSING_SQLITE = ("database is locked", "database table is locked", "database is busy")
_PASSING_POSTGRESQL = {"40001", "40P01", "55P03", "57P01", "57P03", "08006", "08003"}
"""Serialization failure, deadlock, lock not available, server shutting down or starting, connection lost."""
_RIVALRY_POSTGRESQL = {"40001", "40P01"}
_DOWN_SQLITE = ("readonly database", "disk I/O error", "unable to open database")
_READ_ONLY_POSTGRESQL = "25006"
_FULL_POSTGRESQL = "53100"
_FULL_SQLITE = {"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"}
"""The second is how SQLite says that its shared index cannot grow."""
_UNSYNCED_SQLITE = {"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC"}


def is_passing(error: DBAPIError) -> bool:
    """The same again may succeed at once: somebody else holds the store, or the server restarts."""
    if isinstance(error.orig, sqlite3.Error):
        return any(told in str(error.orig) for told in _PASSING_SQLITE)
    state = getattr(error.orig, "sqlstate", None)
    # A server that cannot be reached gives no state at all.
    unreached = state is None and isinstance(error, OperationalError)
    return error.connection_invalidated or unreached or state in _PASSING_POSTGRESQL


def is_rivalry(error: DBAPIError) -> bool:
    """Two wrote the same at once and one has to begin again: the store is there, and works."""
    return getattr(error.orig, "sqlstate", None) in _RIVALRY_POSTGRESQL


def outage(error: DBAPIError) -> StoreUnavailable | None:
    """What keeps the store from taking any write until something outside changes; None: it is something else."""
    name = getattr(error.orig, "sqlite_errorname", None)
    state = getattr(error.orig, "sqlstate", None)
    if name in _FULL_SQLITE or state == _FULL_POSTGRESQL:
        return DiskFull(words(error))
    if name in _UNSYNCED_SQLITE:
        return SyncFailed(words(error))
    if state == _READ_ONLY_POSTGRESQL or any(told in str(error.orig) for told in _DOWN_SQLITE):
        return StoreUnavailable(words(error))
    return None


def words(error: DBAPIError) -> str:
    """The database's own first line."""
    return str(error.orig).splitlines()[0][:200] if error.orig else "the database gave no reason"
