"""Subscriptions: a system names a URL and gets messages of the types it asked for."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, and_, exists, select, update

from bus.contract.message import short_type

from . import audit, controls, lanes
from .delivery_id import new_delivery_id
from .dialect import lock_subscribers
from .lanes import Lane
from .registers import subscriptions
from .routing import SUBSCRIPTION, Subscriber
from .tables import FINAL, deliveries, messages, records
from .tables import lanes as lane_rows

BACKFILL = 500
"""Records per transaction when a subscription starts from the current state."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """``types`` are short types or patterns (``budget.*``). ``secret`` signs the deliveries; it is shown once."""

    id: str
    system: str
    url: str
    secret: str
    types: tuple[str, ...]
    start: Literal["now", "current"]

    @property
    def destination(self) -> str:
        return SUBSCRIPTION + self.id


def new_secret() -> str:
    """A signing secret as Standard Webhooks writes it: ``whsec_`` and base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def subscribe(
    connection: Connection,
    system: str,
    url: str,
    types: Sequence[str],
    *,
    secret: str | None,
    start: Literal["now", "current"],
    actor: str,
    now: int,
) -> Subscription:
    """From the commit on, every accepted message of these types goes to ``url`` too."""
    lock_subscribers(connection, change=True)
    made = Subscription(
        id=uuid.uuid4().hex[:16],
        system=system,
        url=url,
        secret=secret or new_secret(),
        types=tuple(short_type(name) for name in types),
        start=start,
    )
    connection.execute(
        subscriptions.insert().values(
            id=made.id,
            system=system,
            url=url,
            secret=made.secret,
            types=json.dumps(made.types),
            start=start,
            created_at=now,
        )
    )
    controls.raise_number(connection)
    audit.note(connection, now, actor, "subscribed", {"subscription": made.id, "types": list(made.types)})
    return made


def backfill(connection: Connection, subscription: Subscription, now: int, after: tuple[str, str]) -> tuple[str, str]:
    """Deliver the current state of records after key ``after`` (type, key), up to BACKFILL of them.

    Answers the last key looked at, or ("", "") at the end. Run it after the commit of ``subscribe``: a record that
    changes meanwhile has its newer delivery already and is passed over.
    """
    lock_subscribers(connection, change=False)
    keys = _keys_after(connection, after)
    if not keys or not _lives(connection, subscription):
        return "", ""
    has_delivery = exists().where(
        deliveries.c.message == records.c.message, deliveries.c.destination == subscription.destination
    )
    statement = (
        select(
            records.c.type, records.c.key, messages.c.seq, messages.c.lane, messages.c.source, has_delivery.label("d")
        )
        .join(messages, messages.c.seq == records.c.message)
        .where(records.c.deleted == 0)
        .order_by(records.c.key)
        .with_for_update(of=records)
    )
    rows = [
        row
        for (kind,), part in lanes.by_prefix(keys)
        for row in connection.execute(statement.where(records.c.type == kind, records.c.key.in_(part)))
    ]
    subscriber = Subscriber(subscription.destination, subscription.system, subscription.types)
    wanted = [row for row in rows if not row.d and row.source != subscription.system and subscriber.wants(row.type)]
    counts: dict[str, int] = {}
    for row in wanted:
        counts[row.lane] = counts.get(row.lane, 0) + 1
    numbers = lanes.next_sequences(connection, counts) if counts else {}
    new, heads = [], dict[Lane, int | None]()
    for row in wanted:
        new.append(_delivery(subscription.destination, row.type, row.key, row.seq, row.lane, numbers[row.lane], now))
        numbers[row.lane] += 1
        heads[subscription.destination, row.lane] = now
    if new:
        connection.execute(deliveries.insert(), new)
        lanes.extend(connection, heads)
    return keys[-1] if len(keys) == BACKFILL else ("", "")


def _keys_after(connection: Connection, after: tuple[str, str]) -> list[tuple[str, str]]:
    """The next keys, unlocked: a row that another process changes while we wait for it drops out of a locking read."""
    columns = records.c
    statement = (
        select(columns.type, columns.key)
        .where((columns.type > after[0]) | and_(columns.type == after[0], columns.key > after[1]))
        .order_by(columns.type, columns.key)
        .limit(BACKFILL)
    )
    return [(row.type, row.key) for row in connection.execute(statement)]


def _lives(connection: Connection, subscription: Subscription) -> bool:
    statement = select(subscriptions.c.id).where(
        subscriptions.c.id == subscription.id, subscriptions.c.removed_at.is_(None)
    )
    return connection.execute(statement).first() is not None


def _delivery(
    destination: str, kind: str, key: str, message: int, lane: str, sequence: int, now: int
) -> dict[str, object]:
    return {
        "id": new_delivery_id(now),
        "message": message,
        "destination": destination,
        "route": "subscription",
        "type": kind,
        "subject": key,
        "lane": lane,
        "sequence": sequence,
        "state": "pending",
        "holds": 1,
        "attempts": 0,
        "retries": 0,
        "due_at": now,
        "alone": 0,
        "deaths": 0,
        "created_at": now,
        "accepted_at": now,
    }


def unsubscribe(connection: Connection, subscription: str, *, system: str | None, actor: str, now: int) -> bool:
    """End a subscription (of ``system``, if given); what was not yet delivered to it is discarded. False: unknown."""
    lock_subscribers(connection, change=True)
    statement = update(subscriptions).where(subscriptions.c.id == subscription, subscriptions.c.removed_at.is_(None))
    if system is not None:
        statement = statement.where(subscriptions.c.system == system)
    if connection.execute(statement.values(removed_at=now)).rowcount != 1:
        return False
    destination = SUBSCRIPTION + subscription
    # A higher fence shuts out the worker that is sending: its report would wake what nobody will send again.
    connection.execute(
        update(lane_rows)
        .where(lane_rows.c.destination == destination)
        .values(due_at=None, held=0, lease_until=None, owner=None, fence=lane_rows.c.fence + 1)
    )
    connection.execute(
        update(deliveries)
        .where(deliveries.c.destination == destination, deliveries.c.state.not_in(FINAL))
        .values(state="discarded", holds=0, reason="the subscription was removed", settled_at=now)
    )
    controls.raise_number(connection)
    audit.note(connection, now, actor, "unsubscribed", {"subscription": subscription})
    return True


def live(connection: Connection, system: str | None = None) -> list[Subscription]:
    """Living subscriptions, of one system or of all."""
    statement = select(subscriptions).where(subscriptions.c.removed_at.is_(None)).order_by(subscriptions.c.created_at)
    if system is not None:
        statement = statement.where(subscriptions.c.system == system)
    return [
        Subscription(row.id, row.system, row.url, row.secret, tuple(json.loads(row.types)), row.start)
        for row in connection.execute(statement)
    ]
