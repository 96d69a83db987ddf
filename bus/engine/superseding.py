"""What a later version made pointless: dead deliveries before it are let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, update

from .tables import deliveries


def supersede(
    connection: Connection, destination: str, type: str, subject: str, *, message: int, accepted_at: int, now: int
) -> Sequence[Row[Any]]:
    """``message`` arrived at ``destination``: end the dead deliveries of older versions of its record there.

    Answers them with id, destination, type and lane: where one held a partition, the caller refreshes that lane.
    """
    columns = deliveries.c
    statement = (
        update(deliveries)
        .where(
            columns.destination == destination,
            columns.type == type,
            columns.subject == subject,
            columns.state == "dead",
            columns.accepted_at <= accepted_at,
            columns.message < message,
        )
        .values(state="superseded", holds=0, settled_at=now)
        .returning(columns.id, columns.destination, columns.type, columns.lane)
    )
    return connection.execute(statement).all()
