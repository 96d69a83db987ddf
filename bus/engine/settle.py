"""Settling: one transaction writes attempts, deliveries and replicas, and frees what waited for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, case, select, update

from bus.contract.clock import MICROSECONDS, Clock
from bus.contract.events import AttemptEnded, DeliverySettled, Event, FaultSeen
from bus.contract.verdict import Delivered, Verdict, name_of

from . import audit, counters, killpoints, lanes, parents
from .claim import Claimed
from .dialect import run
from .outcome import Outcome
from .routing import Routing
from .superseding import supersede
from .tables import deliveries, starts
from .writer import Batch

DETAIL = 500
"""Characters of a reason that are kept."""


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt's end. ``asked``: nothing was sent, the destination was only asked."""

    claimed: Claimed
    verdict: Verdict
    outcome: Outcome
    started_at: int
    ended_at: int


@dataclass(slots=True)
class LaneResult:
    """A claimed lane that its worker is done with: what ended, and what it gives back unsent."""

    destination: str
    lane: str
    fence: int
    owner: str
    results: list[Result] = field(default_factory=list)
    returned: list[Claimed] = field(default_factory=list)


class Settler:
    """Writes what workers report. A worker whose lease was taken over is fenced: its report changes nothing."""

    def __init__(self, routing: Routing, clock: Clock, tally: counters.Tally = counters.count_nothing) -> None:
        self._routing = routing
        self._clock = clock
        self._tally = tally
        self.batch: Batch[LaneResult, bool] = Batch(self.settle)

    def settle(self, connection: Connection, items: Sequence[LaneResult]) -> list[bool]:
        """Answers for each lane whether its report counted."""
        now = self._clock()
        fences = lanes.lock(connection, [(item.destination, item.lane) for item in items])
        counted = [fences.get((item.destination, item.lane)) == item.fence for item in items]
        valid = [item for item, counts in zip(items, counted, strict=True) if counts]
        results = [(item, result) for item in valid for result in item.results]
        _write(connection, results, self._routing, now)
        _give_back(connection, [one for item in valid for one in item.returned])
        delivered = [(item, result) for item, result in results if isinstance(result.verdict, Delivered)]
        superseded = _arrive(connection, delivered, now)
        arrived = [
            (result.claimed.message.type, result.claimed.message.subject)
            for _, result in delivered
            if result.claimed.message.op == "upsert"
        ]
        touched = parents.release(connection, self._routing, arrived, now)
        own = {(item.destination, item.lane) for item in valid}
        lanes.refresh(connection, own, release=True)
        touched.extend((row.destination, row.lane) for row in superseded)  # a dead one may have held another lane
        others = {lane for lane in touched if lane not in own}
        lanes.lock(connection, others)
        lanes.refresh(connection, others, release=False)
        self._tell(connection, results, superseded, now)
        killpoints.passing("worker.before_settle_commit")
        return counted

    def _tell(
        self, connection: Connection, results: Sequence[tuple[LaneResult, Result]], superseded: list[Any], now: int
    ) -> None:
        events: list[Event] = []
        for item, result in results:
            events.extend(_events(item.destination, result))
        events.extend(DeliverySettled(row.destination, row.type, "superseded") for row in superseded)
        counters.add(connection, self._tally(events))
        if results or superseded:
            detail = {
                "deliveries": [[result.claimed.key, result.outcome.state] for _, result in results],
                "superseded": [row.id for row in superseded],
            }
            audit.note(connection, now, "hub", "settled", detail)


def _events(destination: str, result: Result) -> list[Event]:
    kind = result.claimed.message.type
    seconds = (result.ended_at - result.started_at) / MICROSECONDS
    events: list[Event] = [AttemptEnded(destination, kind, name_of(result.verdict), seconds)]
    at = getattr(result.verdict, "at", None)
    if at is not None:
        events.append(FaultSeen(destination, at))
    state = result.outcome.state
    if state in {"delivered", "dead", "parked"}:
        whole = (result.ended_at - result.claimed.accepted_at) / MICROSECONDS if state == "delivered" else None
        events.append(DeliverySettled(destination, kind, state, whole))
    return events


def _write(connection: Connection, results: Sequence[tuple[LaneResult, Result]], routing: Routing, now: int) -> None:
    if not results:
        return
    run(connection, "settle_deliveries", [_change(result, now) for _, result in results])
    run(connection, "settle_attempts", [_attempt(item, result, routing) for item, result in results])
    ended = [result.claimed.seq for _, result in results if not result.outcome.keep_start]
    for part in lanes.chunks(ended):
        connection.execute(starts.delete().where(starts.c.delivery.in_(part)))


def _change(result: Result, now: int) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "seq": result.claimed.seq,
        "state": outcome.state,
        "holds": int(outcome.holds),
        "retries": outcome.retries,
        "due_at": outcome.due_at,
        "parked": outcome.parked,
        "reason": outcome.reason[:DETAIL] if outcome.reason else None,
        "token": outcome.token,
        "settled_at": now if outcome.state in {"delivered", "dead"} else None,
    }


def _attempt(item: LaneResult, result: Result, routing: Routing) -> dict[str, Any]:
    verdict, claimed = result.verdict, result.claimed
    route = routing.routes.get(claimed.route) if claimed.message.op == "upsert" else None
    words = getattr(verdict, "reason", None) or getattr(verdict, "detail", None)
    return {
        "delivery": claimed.seq,
        "number": claimed.attempt,
        "started_at": result.started_at,
        "ended_at": result.ended_at,
        "outcome": name_of(verdict),
        "status": verdict.status,
        "at": getattr(verdict, "at", None),
        "detail": words[:DETAIL] if words else None,
        "worker": item.owner,
        "mapping": route.mapping if route else None,
    }


def _give_back(connection: Connection, returned: Sequence[Claimed]) -> None:
    """Claimed and never attempted: as if it had not been touched."""
    announced = [one.seq for one in returned if not one.started]
    for part in lanes.chunks(announced):
        connection.execute(starts.delete().where(starts.c.delivery.in_(part)))
    if returned:
        connection.execute(
            update(deliveries)
            .where(deliveries.c.seq == bindparam("the_seq"), deliveries.c.state == "delivering")
            .values(
                state=bindparam("state_before"),
                attempts=deliveries.c.attempts - 1,
                alone=case((deliveries.c.alone == 2, 1), else_=deliveries.c.alone),
            ),
            [
                {"the_seq": one.seq, "state_before": one.state if one.state != "delivering" else "pending"}
                for one in returned
            ],
        )


def _arrive(connection: Connection, delivered: Sequence[tuple[LaneResult, Result]], now: int) -> list[Any]:
    """Write the replicas, and let go of dead deliveries of the same record that these made pointless."""
    if not delivered:
        return []
    last = {
        (item.destination, result.claimed.message.type, result.claimed.message.subject): result
        for item, result in delivered
    }
    ordered = sorted(last.items(), key=lambda entry: entry[0])
    run(connection, "settle_replicas", [_replica(key, result.claimed, now) for key, result in ordered])
    return _supersede(connection, last, now)


def _replica(key: tuple[str, str, str], claimed: Claimed, now: int) -> dict[str, Any]:
    return {
        "destination": key[0],
        "type": key[1],
        "key": key[2],
        "message": claimed.message_seq,
        "version": claimed.version,
        "sequence": claimed.sequence,
        "deleted": int(claimed.message.op == "delete"),
        "delivered_at": now,
    }


def _supersede(connection: Connection, last: dict[tuple[str, str, str], Result], now: int) -> list[Any]:
    found: list[Any] = []
    for destination in sorted({key[0] for key in last}):
        dead = select(deliveries.c.seq).where(deliveries.c.destination == destination, deliveries.c.state == "dead")
        if connection.execute(dead.limit(1)).first() is None:
            continue
        for key, result in last.items():
            if key[0] != destination:
                continue
            claimed = result.claimed
            older = supersede(connection, *key, message=claimed.message_seq, accepted_at=claimed.accepted_at, now=now)
            found.extend(older)
    return found
