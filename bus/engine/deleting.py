"""Deletions that a snapshot implies: messages with the key fields alone."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, select

from bus.contract.feed import Feed
from bus.contract.message import Incoming

from .lanes import chunks
from .tables import messages, records


def deletions(connection: Connection, feed: Feed, keys: Sequence[str]) -> list[Incoming]:
    """One deletion for each living record of ``keys``; the key fields come from its last version."""
    found: list[Incoming] = []
    for part in chunks(keys):
        statement = (
            select(records.c.key, records.c.agency, messages.c.data)
            .join(messages, messages.c.seq == records.c.message)
            .where(records.c.type == feed.type, records.c.key.in_(part), records.c.deleted == 0)
            .order_by(records.c.key)
        )
        for row in connection.execute(statement):
            data = json.loads(row.data)
            found.append(
                Incoming(
                    id=uuid.uuid4().hex,
                    system=feed.system,
                    type=feed.type,
                    subject=row.key,
                    data={name: data[name] for name in feed.key if name in data},
                    content=hashlib.sha256(json.dumps(["delete", row.key]).encode()).hexdigest(),
                    raw=b"",
                    op="delete",
                    agency=row.agency,
                    feed=feed.name,
                )
            )
    return found
