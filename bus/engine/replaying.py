"""Sending again: what may be, what would overwrite, and how it is set on its way.

Parked or dead: that delivery goes on, with its key. Delivered: a new one, with a new key, at the end of its lane.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, literal, select, update

from bus.contract.errors import Problem, Refused

from . import lanes
from .delivery_id import new_delivery_id
from .dialect import run
from .lanes import Lane
from .replay_filter import ReplayFilter
from .tables import deliveries, messages, records

WAITING = ("parked", "dead")

What = Literal["resumed", "renewed", "refused", "skipped"]
"""What comes of one: it goes on; a new one goes; a newer version stands against it; there is nothing to send again."""

_later = deliveries.alias("later")


def _passed() -> ColumnElement[bool]:
    """A dead delivery holds nobody: a later version may have been tried, and may have arrived.

    Not even who wants to overwrite may go before it then: the hub would believe in the later version ever after.
    """
    one = deliveries.c
    return exists().where(
        _later.c.destination == one.destination,
        _later.c.lane == one.lane,
        _later.c.holds == 1,
        _later.c.sequence > one.sequence,
        _later.c.attempts > 0,
        _later.c.type == one.type,
        _later.c.subject == one.subject,
    )


def _older(overwrite: bool) -> ColumnElement[bool]:
    """A newer version of the record exists than the one that was delivered."""
    if overwrite:
        return literal(False)
    return and_(messages.c.version.is_not(None), records.c.version > messages.c.version)


def _since() -> ColumnElement[bool]:
    """The same message was sent there once more since: of a filter's many, the last one speaks for it."""
    one = deliveries.c
    return exists().where(
        _later.c.message == one.message, _later.c.destination == one.destination, _later.c.seq > one.seq
    )


def what(*, overwrite: bool, wanted: ReplayFilter | None = None) -> ColumnElement[str]:
    """What would come of a delivery, as SQL over ``joined``. With a filter: of one that it (still) means.

    Of a message's many deliveries to one place a filter sends the last again; named by id, each is sent.
    """
    delivered = deliveries.c.state == "delivered"
    waiting = deliveries.c.state.in_(WAITING)
    once = wanted is not None and wanted.ids is None
    again: list[tuple[ColumnElement[bool], str]] = [(and_(delivered, _since()), "skipped")] if once else []
    comes = case(
        (and_(waiting, _passed()), "refused"),
        (waiting, "resumed"),
        *again,
        (and_(delivered, _older(overwrite)), "refused"),
        (delivered, "renewed"),
        else_="skipped",
    )
    return comes if wanted is None else case((and_(*wanted.conditions()), comes), else_="skipped")


def joined(*columns: Any) -> Select[Any]:
    """Deliveries with their message and its record."""
    return (
        select(*columns)
        .join(messages, messages.c.seq == deliveries.c.message)
        .outerjoin(records, and_(records.c.type == deliveries.c.type, records.c.key == deliveries.c.subject))
    )


_SHOWN = (
    *deliveries.c,
    messages.c.version,
    messages.c.op,
    messages.c.seq.label("message_seq"),
    records.c.version.label("newest"),
)


def looked_at(
    connection: Connection, seqs: Sequence[int], *, overwrite: bool, wanted: ReplayFilter | None = None
) -> list[Any]:
    """These deliveries in the order of their lanes, locked with their lanes, each with ``what`` may come of it.

    Nothing of their records can be accepted before the transaction's end, so what is seen stays so.
    """
    which = select(deliveries.c.destination, deliveries.c.lane).where(deliveries.c.seq.in_(seqs)).distinct()
    found: list[Lane] = [(row.destination, row.lane) for row in connection.execute(which)]
    lanes.lock_keys(connection, {lane for _, lane in found})  # before the lanes, as accepting does
    lanes.lock(connection, found)
    statement = joined(*_SHOWN, what(overwrite=overwrite, wanted=wanted).label("what")).where(
        deliveries.c.seq.in_(seqs)
    )
    return list(connection.execute(statement.order_by(deliveries.c.seq)))


def refusal(row: Any) -> Refused:
    """Why the delivery ``row`` is not sent again."""
    if row.what == "skipped":
        detail = f"the delivery is {row.state}: nothing to replay"
        return Refused(Problem("not-replayable", "Not replayable", 409, detail))
    if row.state in WAITING:
        detail = "a later version of the record is being sent; once it is delivered, this one is superseded"
        return Refused(Problem("newer-version", "A newer version is on its way", 409, detail))
    detail = f"version {row.version} would overwrite version {row.newest}; say overwrite to do so"
    return Refused(Problem("newer-version", "A newer version exists", 409, detail))


def send_again(connection: Connection, rows: Sequence[Any], now: int) -> dict[str, str]:
    """Set ``rows`` (see ``looked_at``) on their way where they may go; id of each to id of what will be sent."""
    sent = _resume(connection, [row for row in rows if row.what == "resumed"], now)
    sent |= _renew(connection, [row for row in rows if row.what == "renewed"], now)
    return sent


def _resume(connection: Connection, rows: Sequence[Any], now: int) -> dict[str, str]:
    if rows:
        connection.execute(
            update(deliveries)
            .where(deliveries.c.seq.in_([row.seq for row in rows]))
            .values(
                state="pending",
                holds=1,
                retries=0,
                due_at=now,
                parked=None,
                waits=None,
                waits_at=None,
                reason=None,
                token=None,
                alone=0,
                deaths=0,
                settled_at=None,
            )
        )
        lanes.refresh(connection, _lanes(rows), release=False)
    return {row.id: row.id for row in rows}


def _renew(connection: Connection, rows: Sequence[Any], now: int) -> dict[str, str]:
    if not rows:
        return {}
    numbers = lanes.next_sequences(connection, Counter(row.lane for row in rows))
    made: list[dict[str, Any]] = []
    for row in rows:
        made.append(_new(row, numbers[row.lane], now))
        numbers[row.lane] += 1
    run(connection, "insert_deliveries", made)
    lanes.extend(connection, dict.fromkeys(_lanes(rows), now))
    return {row.id: str(new["id"]) for row, new in zip(rows, made, strict=True)}


def _new(row: Any, sequence: int, now: int) -> dict[str, Any]:
    return {
        "id": new_delivery_id(now),
        "message": row.message,
        "destination": row.destination,
        "route": row.route,
        "type": row.type,
        "subject": row.subject,
        "lane": row.lane,
        "sequence": sequence,
        "state": "pending",
        "holds": 1,
        "attempts": 0,
        "retries": 0,
        "due_at": now,
        "parked": None,
        "waits": None,
        "waits_at": None,
        "reason": None,
        "alone": 0,
        "deaths": 0,
        "replay_of": row.id,
        "created_at": now,
        "accepted_at": now,
        "settled_at": None,
    }


def _lanes(rows: Iterable[Any]) -> list[Lane]:
    return [(row.destination, row.lane) for row in rows]
