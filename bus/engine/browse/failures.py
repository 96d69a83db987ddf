"""What failed for which cause, when first and when last, and in whose words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, func, select

from bus.engine.lanes import chunks
from bus.engine.replay_filter import cause_of
from bus.engine.tables import OPEN, attempts, deliveries, messages

from .paging import moment
from .view import View

FAILED = ("dead", "retrying")
"""States of deliveries whose last attempt failed."""

MOST = 500
"""Groups that are told, the most frequent first."""


def failures(connection: Connection, view: View) -> list[dict[str, Any]]:
    """Failures grouped by destination, state and cause, most frequent first.

    Numbers in a cause are left out of the comparison: "gave up after 12 tries" is one cause. ``first`` and ``last``
    are when attempts of these deliveries failed; ``words`` (the destination's own, where its sink passes them on),
    ``status`` and ``at`` (sender, hub, mapping, destination, network) are of the latest attempt of ``example``, the
    group's youngest delivery.
    """
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in connection.execute(grouped(view)):
        found = {name: getattr(row, name) for name in ("destination", "state", "reason", "first", "last", "seq")}
        found["count"] = row.number
        same = groups.setdefault((row.destination, row.state, cause_of(row.reason)), found)
        if same is not found:
            same["count"] += row.number
            same["first"] = min(same["first"], row.first)
            same["last"] = max(same["last"], row.last)
            same["seq"] = max(same["seq"], row.seq)
    order = sorted(groups.values(), key=lambda one: (-one["count"], one["destination"], one["reason"] or ""))[:MOST]
    examples = _examples(connection, [one["seq"] for one in order])
    for one in order:
        one["first"], one["last"] = moment(one["first"]), moment(one["last"])
        one |= examples[one.pop("seq")]
    return order


def grouped(view: View) -> Select[Any]:
    """Read by the index of open deliveries; their messages only where the caller does not see all."""
    one = deliveries.c
    attempted = select(func.min(attempts.c.ended_at)).where(attempts.c.delivery == one.seq).scalar_subquery()
    latest = select(func.max(attempts.c.ended_at)).where(attempts.c.delivery == one.seq).scalar_subquery()
    # A dead one has its moment in itself; of a retrying one, of which there are few, the attempts are asked.
    statement = select(
        one.destination,
        one.state,
        one.reason,
        func.count().label("number"),
        func.min(func.coalesce(one.settled_at, attempted, one.created_at)).label("first"),
        func.max(func.coalesce(one.settled_at, latest, one.created_at)).label("last"),
        func.max(one.seq).label("seq"),
    )
    if not view.sees_all:
        statement = statement.join(messages, messages.c.seq == one.message).where(view.deliveries())
    return statement.where(OPEN, one.state.in_(FAILED)).group_by(one.destination, one.state, one.reason)


def _examples(connection: Connection, seqs: list[int]) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    newest = select(func.max(attempts.c.seq)).where(attempts.c.delivery == deliveries.c.seq).correlate(deliveries)
    for part in chunks(seqs):
        statement = (
            select(deliveries.c.seq, deliveries.c.id, attempts.c.status, attempts.c.at, attempts.c.detail)
            .outerjoin(attempts, attempts.c.seq == newest.scalar_subquery())
            .where(deliveries.c.seq.in_(part))
        )
        for row in connection.execute(statement):
            found[row.seq] = {"example": row.id, "words": row.detail, "status": row.status, "at": row.at}
    return found
