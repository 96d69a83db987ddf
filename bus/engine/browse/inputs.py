"""What came in and could not be taken as it was: rejected rows, held snapshots."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from bus.engine.registers import rejections, snapshots

from .paging import moment, page, row_of
from .view import View


def rejected(
    connection: Connection,
    view: View,
    *,
    limit: int,
    cursor: str | None,
    system: str | None = None,
    feed: str | None = None,
    file: str | None = None,
) -> dict[str, Any]:
    """One page of rejections, in the order in which they arose."""
    statement = select(rejections).where(view.rejections())
    after = row_of(cursor)
    if after is not None:
        statement = statement.where(rejections.c.seq > after)
    for name, value in {"system": system, "feed": feed, "file": file}.items():
        if value is not None:
            statement = statement.where(rejections.c[name] == value)
    rows = connection.execute(statement.order_by(rejections.c.seq).limit(limit + 1)).all()
    return page(rows, limit, _rejection)


def _rejection(row: Any) -> dict[str, Any]:
    return {
        "id": row.seq,
        "system": row.system,
        "feed": row.feed,
        "file": row.file,
        "file_sha256": row.file_sha256,
        "row": row.row,
        "line": row.line,
        "problems": json.loads(row.problems),
        "raw": row.raw,
        "agency": row.agency,
        "at": moment(row.at),
    }


def held(connection: Connection, view: View, *, state: str | None = None) -> list[dict[str, Any]]:
    """Snapshots that waited or wait for a person, newest first; without the files themselves."""
    columns = [column for column in snapshots.c if column.name != "content"]
    statement = select(*columns).where(view.snapshots())
    if state is not None:
        statement = statement.where(snapshots.c.state == state)
    rows = connection.execute(statement.order_by(snapshots.c.at.desc(), snapshots.c.id).limit(1000))
    return [
        {
            "id": row.id,
            "system": row.system,
            "feed": row.feed,
            "file": row.file,
            "scopes": json.loads(row.scopes),
            "state": row.state,
            "rows": row.rows,
            "deletions": row.deletions,
            "size": row.size,
            "at": moment(row.at),
            "decided_at": moment(row.decided_at),
            "decided_by": row.decided_by,
            "reason": row.reason,
        }
        for row in rows
    ]
