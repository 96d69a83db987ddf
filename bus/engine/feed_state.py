"""What a feed remembers: the rows of each scope, its cursor, and who reads it now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select, update

from bus.contract.feed import Scope

from .dialect import insert
from .lanes import by_prefix, chunks
from .registers import feed_rows, feeds

LEASE = 15_000_000
"""Microseconds for which a reader has a feed to itself; renewed with each transaction."""


def scope_text(scope: Scope) -> str:
    return json.dumps(scope, ensure_ascii=False, separators=(",", ":"))


def previous(connection: Connection, system: str, feed: str, scopes: Iterable[Scope]) -> dict[Scope, dict[str, str]]:
    """Key to hash of each scope, as of the feed's last snapshots."""
    found: dict[Scope, dict[str, str]] = {}
    for scope in scopes:
        statement = select(feed_rows.c.key, feed_rows.c.hash).where(
            feed_rows.c.system == system, feed_rows.c.feed == feed, feed_rows.c.scope == scope_text(scope)
        )
        rows = {row.key: row.hash for row in connection.execute(statement)}
        if rows:
            found[scope] = rows
    return found


def hashes(connection: Connection, system: str, feed: str, keys: Sequence[str]) -> dict[str, str]:
    """Key to hash for some rows of a feed without scopes."""
    found: dict[str, str] = {}
    for part in chunks(keys):
        statement = select(feed_rows.c.key, feed_rows.c.hash).where(
            feed_rows.c.system == system,
            feed_rows.c.feed == feed,
            feed_rows.c.scope == scope_text(()),
            feed_rows.c.key.in_(part),
        )
        found |= {row.key: row.hash for row in connection.execute(statement)}
    return found


def remember(connection: Connection, system: str, feed: str, rows: Sequence[tuple[Scope, str, str]]) -> None:
    """Store (scope, key, hash)."""
    if rows:
        statement = insert(connection, feed_rows)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["system", "feed", "scope", "key"], set_={"hash": statement.excluded.hash}
            ),
            [
                {"system": system, "feed": feed, "scope": scope_text(scope), "key": key, "hash": value}
                for scope, key, value in rows
            ],
        )


def forget(connection: Connection, system: str, feed: str, places: Sequence[tuple[Scope, str]]) -> None:
    for (scope,), part in by_prefix((scope_text(scope), key) for scope, key in places):
        connection.execute(
            feed_rows.delete().where(
                feed_rows.c.system == system,
                feed_rows.c.feed == feed,
                feed_rows.c.scope == scope,
                feed_rows.c.key.in_(part),
            )
        )


def elsewhere(connection: Connection, system: str, feed: str, places: Sequence[tuple[Scope, str]]) -> set[str]:
    """Keys of ``places`` that another scope of the feed still holds: their records live on."""
    own = {(scope_text(scope), key) for scope, key in places}
    found: set[str] = set()
    for part in chunks(sorted({key for _, key in own})):
        statement = select(feed_rows.c.scope, feed_rows.c.key).where(
            feed_rows.c.system == system, feed_rows.c.feed == feed, feed_rows.c.key.in_(part)
        )
        found |= {row.key for row in connection.execute(statement) if (row.scope, row.key) not in own}
    return found


def take_lease(connection: Connection, system: str, feed: str, owner: str, now: int, lasting: int = LEASE) -> bool:
    """One reader at a time, for ``lasting`` microseconds. False: another has the feed now."""
    connection.execute(insert(connection, feeds).values(system=system, feed=feed).on_conflict_do_nothing())
    free = (feeds.c.lease_until.is_(None)) | (feeds.c.lease_until < now) | (feeds.c.lease_owner == owner)
    statement = update(feeds).where(feeds.c.system == system, feeds.c.feed == feed, free)
    return connection.execute(statement.values(lease_owner=owner, lease_until=now + lasting)).rowcount == 1


def end_lease(connection: Connection, system: str, feed: str, owner: str) -> None:
    connection.execute(
        update(feeds)
        .where(feeds.c.system == system, feeds.c.feed == feed, feeds.c.lease_owner == owner)
        .values(lease_owner=None, lease_until=None)
    )


def cursor(connection: Connection, system: str, feed: str) -> str | None:
    statement = select(feeds.c.cursor).where(feeds.c.system == system, feeds.c.feed == feed)
    return connection.execute(statement).scalar()


def advance(connection: Connection, system: str, feed: str, new_cursor: str | None, now: int) -> None:
    """The feed was read so far, without fault."""
    statement = insert(connection, feeds).values(system=system, feed=feed, cursor=new_cursor, last_success=now)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["system", "feed"], set_={"cursor": new_cursor, "last_success": now}
        )
    )
