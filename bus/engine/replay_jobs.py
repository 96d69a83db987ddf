"""Replays by filter: jobs in the store, done in portions, in the order of acceptance, by whoever has the lease.

A job looks once at each delivery that was there when it began. Where it stands is in its row, in the transaction of
what it sets going: a crash repeats nothing and leaves nothing out. Whoever stops it waits for the portion under way;
after that nothing more is set going.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from bus.contract.clock import MICROSECONDS
from bus.contract.errors import Problem, Refused

from . import audit, replaying
from .registers import replays
from .replay_filter import ReplayFilter
from .tables import deliveries, messages

PORTION = 100
"""Deliveries looked at in one transaction."""

READ = 5000
"""Deliveries found at once, before they are looked at in portions."""

LEASE = 15 * MICROSECONDS
"""How long a job belongs to the process that did its last portion."""

BUCKET = 1.0
"""Seconds of a job's rate that may be sent at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one portion did. ``wait``: seconds until a next one can do anything; ``going``: the job is not at its end.

    ``cursor`` is where the job stands now.
    """

    going: bool
    wait: float = 0.0
    cursor: int = 0


def create(
    connection: Connection,
    wanted: ReplayFilter,
    *,
    overwrite: bool,
    rate: float | None,
    actor: str,
    reason: str,
    now: int,
) -> str:
    """Begin a replay; answers its id."""
    id = uuid.uuid4().hex[:16]
    last = connection.execute(select(func.max(deliveries.c.seq))).scalar() or 0
    connection.execute(
        replays.insert().values(
            id=id,
            filter=wanted.text(),
            overwrite=int(overwrite),
            actor=actor,
            reason=reason,
            state="running",
            cursor=0,
            last=last,
            resumed=0,
            renewed=0,
            refused=0,
            skipped=0,
            rate=rate,
            tokens=_bucket(rate),
            tokens_at=now,
            created_at=now,
        )
    )
    detail = {"replay": id, "filter": wanted.text(), "overwrite": overwrite, "reason": reason}
    audit.note(connection, now, actor, "replay begun", detail)
    return id


def stop(connection: Connection, id: str, *, actor: str, reason: str, now: int) -> Any:
    """Set nothing more going; answers the job's row. One that has ended stays as it ended. Raises Refused."""
    row = _locked(connection, id)
    if row is None:
        raise Refused(Problem("not-found", "Not found", 404, "no such replay"))
    if row.state == "running":
        _end(connection, id, "stopped", now)
        audit.note(connection, now, actor, "replay stopped", {"replay": id, "reason": reason})
    return find(connection, id)


def fail(connection: Connection, id: str, *, error: str, now: int) -> None:
    """The job cannot go on; ``error`` names the fault, never a value."""
    row = _locked(connection, id)
    if row is not None and row.state == "running":
        _end(connection, id, "failed", now, error=error)
        audit.note(connection, now, "hub", "replay failed", {"replay": id, "error": error})


def fail_all(connection: Connection, *, error: str, now: int) -> None:
    """As ``fail``, for every running job."""
    for row in connection.execute(select(replays.c.id).where(replays.c.state == "running")).all():
        fail(connection, row.id, error=error, now=now)


def find(connection: Connection, id: str) -> Any | None:
    return connection.execute(select(replays).where(replays.c.id == id)).first()


def free(connection: Connection, owner: str, now: int) -> list[Any]:
    """Running jobs that ``owner`` may do now, oldest first."""
    ours = replays.c.lease_until.is_(None) | (replays.c.lease_until < now) | (replays.c.lease_owner == owner)
    statement = select(replays).where(replays.c.state == "running", ours).order_by(replays.c.created_at)
    return list(connection.execute(statement))


def candidates(connection: Connection, job: Any, after: int) -> tuple[list[int], int]:
    """The next deliveries after ``after`` that the job means, and how far was read (``job.last`` at the end)."""
    wanted = ReplayFilter.of(job.filter)
    statement = (
        select(deliveries.c.seq, deliveries.c.reason, deliveries.c.parked)
        .join(messages, messages.c.seq == deliveries.c.message)
        .where(deliveries.c.seq > after, deliveries.c.seq <= job.last, *wanted.conditions())
        .order_by(deliveries.c.seq)
        .limit(READ)
    )
    rows = connection.execute(statement).all()
    return [row.seq for row in rows if wanted.means(row)], rows[-1].seq if len(rows) == READ else job.last


def advance(connection: Connection, id: str, seqs: Sequence[int], upto: int, *, owner: str, now: int) -> Step:
    """Look at the next of ``seqs`` (rising, after the job's cursor), as many as a portion and the rate allow.

    When all are looked at, the job stands at ``upto``; where that is its last one, it is done.
    """
    job = _locked(connection, id)
    if job is None or job.state != "running" or not _ours(job, owner, now):
        return Step(going=False)
    tokens, wanted = _tokens(job, now), ReplayFilter.of(job.filter)
    coming = [seq for seq in seqs if seq > job.cursor]
    part, allowed = coming[:PORTION], PORTION if tokens is None else int(tokens)
    if part and not allowed:
        found, rows, cursor = [], [], job.cursor
    else:
        found = replaying.looked_at(connection, part, overwrite=bool(job.overwrite), wanted=wanted)
        rows = _within(found, allowed)
        cursor = upto if len(part) == len(coming) else part[-1]
    if len(rows) < len(found):
        cursor = rows[-1].seq
    sent = replaying.send_again(connection, rows, now)
    counts = Counter(row.what for row in rows)
    if sent:
        audit.note(connection, now, job.actor, "replayed", {"replay": id, "sent": list(sent.items())})
    left = None if tokens is None else tokens - len(sent)
    connection.execute(
        update(replays)
        .where(replays.c.id == id)
        .values(
            cursor=cursor,
            tokens=job.tokens if left is None else left,
            tokens_at=now,
            lease_owner=owner,
            lease_until=now + LEASE,
            **{name: getattr(job, name) + counts[name] for name in ("resumed", "renewed", "refused", "skipped")},
        )
    )
    if cursor >= job.last:
        _end(connection, id, "done", now)
        return Step(going=False, cursor=cursor)
    wait = 0.0 if left is None or left >= 1 else (1 - left) / job.rate
    return Step(going=True, wait=wait, cursor=cursor)


def _within(rows: list[Any], allowed: int) -> list[Any]:
    """The first of ``rows`` that set no more than ``allowed`` deliveries going."""
    going = 0
    for index, row in enumerate(rows):
        going += row.what in {"resumed", "renewed"}
        if going > allowed:
            return rows[:index]
    return rows


def _bucket(rate: float | None) -> float:
    return 0.0 if rate is None else max(1.0, rate * BUCKET)


def _tokens(job: Any, now: int) -> float | None:
    """How many may be set going now; None: any number."""
    if job.rate is None:
        return None
    passed = max(0, now - job.tokens_at) / MICROSECONDS
    return float(min(_bucket(job.rate), job.tokens + job.rate * passed))


def _locked(connection: Connection, id: str) -> Any | None:
    return connection.execute(select(replays).where(replays.c.id == id).with_for_update()).first()


def _ours(job: Any, owner: str, now: int) -> bool:
    return job.lease_until is None or job.lease_until < now or job.lease_owner == owner


def _end(connection: Connection, id: str, state: str, now: int, error: str | None = None) -> None:
    values = {"state": state, "error": error, "ended_at": now, "lease_owner": None, "lease_until": None}
    connection.execute(update(replays).where(replays.c.id == id).values(**values))
