"""Held snapshots: files that would delete too much wait, whole, for a person."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from bus.contract.errors import Problem, Refused
from bus.contract.feed import Feed, Scope

from . import audit
from .feed_state import scope_text
from .registers import snapshots


def hold(
    connection: Connection,
    *,
    feed: Feed,
    file: str,
    content: bytes,
    scopes: Sequence[Scope],
    rows: int,
    deletions: int,
    size: int,
    actor: str,
    now: int,
) -> str:
    """Keep the file whole; a newer snapshot of a scope replaces a held one. Answers the snapshot's id."""
    replace(connection, feed, scopes, actor=actor, now=now)
    snapshot = uuid.uuid4().hex[:12]
    connection.execute(
        snapshots.insert().values(
            id=snapshot,
            system=feed.system,
            feed=feed.name,
            scopes=json.dumps([scope_text(scope) for scope in scopes]),
            file=file,
            content=zlib.compress(content, 6),
            state="held",
            rows=rows,
            deletions=deletions,
            size=size,
            at=now,
        )
    )
    audit.note(connection, now, actor, "snapshot-held", {"snapshot": snapshot, "deletions": deletions, "size": size})
    return snapshot


def replace(connection: Connection, feed: Feed, scopes: Iterable[Scope], *, actor: str, now: int) -> None:
    """A newer snapshot of any of ``scopes`` was taken or held: what is held of them is out of date."""
    fresh = {scope_text(scope) for scope in scopes}
    statement = select(snapshots.c.id, snapshots.c.scopes).where(
        snapshots.c.system == feed.system, snapshots.c.feed == feed.name, snapshots.c.state == "held"
    )
    for row in connection.execute(statement).all():
        if fresh & set(json.loads(row.scopes)):
            _decide(connection, row.id, "replaced", actor=actor, reason="a newer snapshot of its scope came", now=now)


def get(connection: Connection, snapshot: str) -> Any:
    """The held snapshot's row; raises Refused where there is none, or where it was decided already."""
    row = connection.execute(select(snapshots).where(snapshots.c.id == snapshot).with_for_update()).first()
    if row is None:
        raise Refused(Problem("not-found", "Not found", 404, "no such snapshot"))
    if row.state != "held":
        raise Refused(Problem("not-held", "Not held", 409, f"the snapshot is {row.state} already"))
    return row


def content_of(row: Any) -> bytes:
    return zlib.decompress(row.content)


def decide(connection: Connection, snapshot: str, state: str, *, actor: str, reason: str, now: int) -> None:
    """A person's word: ``approved`` or ``refused``."""
    get(connection, snapshot)
    _decide(connection, snapshot, state, actor=actor, reason=reason, now=now)


def _decide(connection: Connection, snapshot: str, state: str, *, actor: str, reason: str, now: int) -> None:
    connection.execute(
        update(snapshots)
        .where(snapshots.c.id == snapshot)
        .values(state=state, decided_at=now, decided_by=actor, reason=reason)
    )
    audit.note(connection, now, actor, f"snapshot-{state}", {"snapshot": snapshot, "reason": reason})
