"""Accepting: one transaction stores message, record version and deliveries, for many callers at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, select

from bus.contract.clock import Clock, from_datetime
from bus.contract.events import Event, MessageAccepted
from bus.contract.message import Incoming

from . import aliases, audit, counters, killpoints, lanes, parents
from .delivery_id import new_delivery_id
from .dialect import lock_subscribers, message_numbers, run
from .lanes import Lane, by_prefix
from .routing import Routing, SubscriberList, Target
from .tables import messages, records
from .writer import Batch

_KNOWN = select(messages.c.source, messages.c.id, messages.c.content).where(
    messages.c.source == bindparam("system"), messages.c.id.in_(bindparam("ids", expanding=True))
)
_STANDING = (
    select(records.c.type, records.c.key, records.c.version, records.c.posted_sequence)
    .where(records.c.type == bindparam("kind"), records.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(records.c.key)
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one input. ``stale``: stored, but older than the record; ``parked``: a delivery of it waits."""

    status: Literal["accepted", "duplicate", "conflict"]
    parked: bool = False
    stale: bool = False


@dataclass(slots=True)
class _Fresh:
    index: int
    item: Incoming
    stale: bool = False
    version: int | None = None
    sequence: int = 0
    seq: int = 0
    parked: bool = False


@dataclass(slots=True)
class _Standing:
    """A record as the batch goes over it."""

    version: int
    posted: int | None
    message: Incoming | None = None


class Acceptor:
    """Turns checked inputs into messages. Order within a batch is acceptance order."""

    def __init__(self, routing: Routing, clock: Clock, tally: counters.Tally = counters.count_nothing) -> None:
        self._routing = routing
        self._clock = clock
        self._tally = tally
        self.batch: Batch[Incoming, Accepted] = Batch(self.accept)
        self._rung: set[str] = set()

    def take_rung(self) -> set[str]:
        """Destinations that got deliveries since the last call; for the writer's thread, after its commit."""
        rung, self._rung = self._rung, set()
        return rung

    def accept(self, connection: Connection, items: Sequence[Incoming]) -> list[Accepted]:
        """Store ``items``; answers one outcome each. The caller's transaction makes it whole or nothing."""
        now = self._clock()
        outcomes, fresh = _sift(connection, items)
        if fresh:
            standing = self._versions(connection, fresh, now)
            _number(connection, fresh)
            _store(connection, fresh, now)
            _update_records(connection, fresh, standing, now)
            self._deliver(connection, fresh, now)
            self._release(connection, fresh, now)
            aliases.learn(connection, [one.item for one in fresh if not one.stale])
            self._tell(connection, fresh, now)
            killpoints.passing("api.before_commit")
        for one in fresh:
            outcomes[one.index] = Accepted("accepted", one.parked, one.stale)
        return [outcome for outcome in outcomes if outcome is not None]

    def _versions(self, connection: Connection, fresh: list[_Fresh], now: int) -> dict[tuple[str, str], _Standing]:
        """Lock the records, in sorted order, and give each message its version, or find it stale."""
        keys = sorted({(one.item.type, one.item.subject) for one in fresh})
        standing: dict[tuple[str, str], _Standing] = {}
        run(connection, "accept_blank_records", [{"type": kind, "key": key, "now": now} for kind, key in keys])
        for (kind,), part in by_prefix(keys):
            for row in connection.execute(_STANDING, {"kind": kind, "keys": part}):
                standing[row.type, row.key] = _Standing(row.version, row.posted_sequence)
        for one in fresh:
            record = standing[one.item.type, one.item.subject]
            posted = one.item.sequence
            if posted is not None and record.posted is not None and posted < record.posted:
                one.stale = True
                continue
            record.version += 1
            record.posted = posted if posted is not None else record.posted
            record.message = one.item
            one.version = record.version
        return standing

    def _deliver(self, connection: Connection, fresh: list[_Fresh], now: int) -> None:
        lock_subscribers(connection, change=False)
        subscribers = SubscriberList.read(connection).rows
        planned = [(one, target) for one in fresh for target in self._routing.targets(one.item, subscribers)]
        missing = parents.unmet(connection, [need for _, target in planned for need in target.parents])
        rows: list[dict[str, Any]] = []
        heads: dict[Lane, int | None] = {}
        for one, target in planned:
            need = next((need for need in target.parents if need in missing), None)
            row = _delivery(one, target, now, need)
            rows.append(row)
            if row["holds"]:
                heads.setdefault((target.destination, one.item.lane), None if need else now)
                one.parked = one.parked or need is not None
        if rows:
            run(connection, "insert_deliveries", rows)
            lanes.extend(connection, heads)
            self._rung |= {destination for destination, _ in heads}

    def _release(self, connection: Connection, fresh: list[_Fresh], now: int) -> None:
        arrived = [(one.item.type, one.item.subject) for one in fresh if one.item.op == "upsert"]
        touched = parents.release(connection, self._routing, arrived, now)
        lanes.lock(connection, touched)
        lanes.refresh(connection, touched, release=False)

    def _tell(self, connection: Connection, fresh: list[_Fresh], now: int) -> None:
        events: list[Event] = [MessageAccepted(one.item.system, one.item.type) for one in fresh]
        counters.add(connection, self._tally(events))
        for system in sorted({one.item.system for one in fresh}):
            told = [[one.seq, one.item.id, one.item.content] for one in fresh if one.item.system == system]
            audit.note(connection, now, system, "accepted", {"messages": told})


def _sift(connection: Connection, items: Sequence[Incoming]) -> tuple[list[Accepted | None], list[_Fresh]]:
    """Set apart what is known already: same source and id."""
    known: dict[tuple[str, str], str] = {}
    for (system,), part in by_prefix((item.system, item.id) for item in items):
        found = connection.execute(_KNOWN, {"system": system, "ids": part})
        known.update({(row.source, row.id): row.content for row in found})
    outcomes: list[Accepted | None] = [None] * len(items)
    fresh: list[_Fresh] = []
    for index, item in enumerate(items):
        content = known.get((item.system, item.id))
        if content is None:
            known[item.system, item.id] = item.content
            fresh.append(_Fresh(index, item))
        else:
            outcomes[index] = Accepted("duplicate" if content == item.content else "conflict")
    return outcomes, fresh


def _number(connection: Connection, fresh: list[_Fresh]) -> None:
    sequences = lanes.next_sequences(connection, Counter(one.item.lane for one in fresh))
    for one in fresh:
        one.sequence = sequences[one.item.lane]
        sequences[one.item.lane] += 1


def _store(connection: Connection, fresh: list[_Fresh], now: int) -> None:
    for one, seq in zip(fresh, message_numbers(connection, len(fresh)), strict=True):
        one.seq = seq
    rows = [
        {
            "seq": one.seq,
            "source": item.system,
            "id": item.id,
            "type": item.type,
            "subject": item.subject,
            "agency": item.agency,
            "feed": item.feed,
            "op": item.op,
            "time": now if item.time is None else from_datetime(item.time),
            "time_text": item.time_text,
            "accepted_at": now,
            "posted_sequence": item.sequence,
            "partition": item.partition,
            "lane": item.lane,
            "sequence": one.sequence,
            "version": one.version,
            "content": item.content,
            "data": json.dumps(item.data, ensure_ascii=False, separators=(",", ":")),
            "raw": item.raw,
            "traceparent": item.traceparent,
        }
        for one in fresh
        for item in [one.item]
    ]
    run(connection, "accept_messages", rows)


def _update_records(
    connection: Connection, fresh: list[_Fresh], standing: dict[tuple[str, str], _Standing], now: int
) -> None:
    last = {(one.item.type, one.item.subject): one for one in fresh if not one.stale}
    if not last:
        return
    run(
        connection,
        "accept_records",
        [
            {
                "type": key[0],
                "key": key[1],
                "updated_at": now,
                "version": one.version,
                "message": one.seq,
                "posted_sequence": standing[key].posted,
                "agency": one.item.agency,
                "deleted": int(one.item.op == "delete"),
            }
            for key, one in sorted(last.items())
        ],
    )


def _delivery(one: _Fresh, target: Target, now: int, need: parents.Need | None) -> dict[str, Any]:
    item = one.item
    state = "superseded" if one.stale else "parked" if need else "pending"
    return {
        "id": new_delivery_id(now),
        "message": one.seq,
        "destination": target.destination,
        "route": target.route,
        "type": item.type,
        "subject": item.subject,
        "lane": item.lane,
        "sequence": one.sequence,
        "state": state,
        "holds": int(not one.stale),
        "attempts": 0,
        "retries": 0,
        "due_at": now,
        "parked": "parent" if need and not one.stale else None,
        "waits": f"{need[0]}:{need[1]}" if need and not one.stale else None,
        "waits_at": need[2] if need and not one.stale else None,
        "reason": "an older version than the record's" if one.stale else None,
        "alone": 0,
        "deaths": 0,
        "replay_of": None,
        "created_at": now,
        "accepted_at": now,
        "settled_at": now if one.stale else None,
    }
