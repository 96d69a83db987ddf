"""Replays: jobs as they stand, and what one would change before it is begun."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, and_, func, select

from bus.contract.message import full_type
from bus.engine import replaying
from bus.engine.registers import replays
from bus.engine.replay_filter import ReplayFilter
from bus.engine.tables import deliveries, messages, records, replicas

from .paging import moment

SAMPLES = 20
"""Deliveries of each destination that are shown one by one."""

LISTED = 100
"""Jobs that are listed, newest first."""

WORDS = {
    "resumed": "resume",
    "renewed": "new_delivery",
    "refused": "refused_newer_exists",
    "skipped": "nothing",
}

_newest = messages.alias("newest")
_held = messages.alias("held")


def listed(connection: Connection) -> list[dict[str, Any]]:
    return [
        shown(row) for row in connection.execute(select(replays).order_by(replays.c.created_at.desc()).limit(LISTED))
    ]


def shown(row: Any) -> dict[str, Any]:
    """One job. ``counts`` are what came of the deliveries that it has looked at."""
    return {
        "id": row.id,
        "state": row.state,
        "filter": _filter(ReplayFilter.of(row.filter)),
        "overwrite": bool(row.overwrite),
        "rate": row.rate,
        "actor": row.actor,
        "reason": row.reason,
        "counts": {word: getattr(row, name) for name, word in WORDS.items()},
        "error": row.error,
        "created_at": moment(row.created_at),
        "ended_at": moment(row.ended_at),
    }


def _filter(wanted: ReplayFilter) -> dict[str, Any]:
    told = {name: value for name, value in asdict(wanted).items() if value is not None}
    for name, stored in (("from", "since"), ("to", "until")):
        if stored in told:
            told[name] = moment(told.pop(stored))
    return told


def preview(connection: Connection, wanted: ReplayFilter, *, overwrite: bool) -> list[dict[str, Any]]:
    """What a replay would do now, by destination, with samples. Nothing is written."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(WORDS.values(), 0))
    comes = replaying.what(overwrite=overwrite, wanted=wanted).label("what")
    one = deliveries.c
    # Grouped outside: PostgreSQL takes an expression with parameters for another one when it is written twice.
    each = replaying.joined(one.destination, one.reason, one.parked, comes).where(*wanted.conditions()).subquery()
    for row in connection.execute(select(*each.c, func.count().label("number")).group_by(*each.c)):
        if wanted.means(row):
            counts[row.destination][WORDS[row.what]] += row.number
    return [
        {"destination": name, "counts": found, "samples": _samples(connection, wanted, name, overwrite)}
        for name, found in sorted(counts.items())
    ]


def _samples(connection: Connection, wanted: ReplayFilter, destination: str, overwrite: bool) -> list[dict[str, Any]]:
    """The first deliveries to ``destination``: how each message differs from the newest, and from what is there."""
    comes = replaying.what(overwrite=overwrite, wanted=wanted).label("what")
    one, held = deliveries.c, replicas.c
    statement = (
        replaying.joined(
            one.id, one.state, one.type, one.subject, one.reason, one.parked, comes,
            messages.c.seq.label("message"), messages.c.version, messages.c.op, messages.c.data,
            records.c.version.label("newest_version"),
            _newest.c.op.label("newest_op"), _newest.c.data.label("newest_data"),
            replicas.c.version.label("held_version"),
            _held.c.op.label("held_op"), _held.c.data.label("held_data"),
        )
        .outerjoin(_newest, _newest.c.seq == records.c.message)
        .outerjoin(
            replicas, and_(held.destination == one.destination, held.type == one.type, held.key == one.subject)
        )
        .outerjoin(_held, _held.c.seq == replicas.c.message)
        .where(one.destination == destination, *wanted.conditions())
        .order_by(one.seq)
    )  # fmt: skip
    found: list[dict[str, Any]] = []
    with connection.execute(statement.execution_options(yield_per=SAMPLES)) as rows:
        for row in rows:
            if wanted.means(row):
                found.append(_sample(row))
            if len(found) == SAMPLES:
                break
    return found


def _sample(row: Any) -> dict[str, Any]:
    sent = _state(row.op, row.data)
    held = None if row.held_data is None else _state(row.held_op, row.held_data)
    newest = None if row.newest_data is None else _state(row.newest_op, row.newest_data)
    return {
        "id": row.id,
        "message": f"m{row.message}",
        "type": full_type(row.type),
        "subject": row.subject,
        "state": row.state,
        "would": WORDS[row.what],
        "version": row.version,
        "newest_version": row.newest_version,
        "differs_from_newest": None if newest is None else _fields(newest, sent),
        "destination_version": row.held_version,
        "changes_at_destination": None if held is None else _changes(held, sent),
    }


def _state(op: str, data: str) -> dict[str, Any]:
    return {"op": op, "data": json.loads(data)}


def _fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [name for name, _, _ in _differences(before, after)]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"field": name, "from": one, "to": other} for name, one, other in _differences(before, after)]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Field, value before, value after; ``op`` where a deletion meets a record, and then nothing else."""
    if before["op"] != after["op"]:
        yield "op", before["op"], after["op"]
        return
    yield from _within("", before["data"], after["data"])


def _within(place: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Absent is null. Lists are compared whole."""
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _within(f"{place}{name}.", one, other)
        elif one != other:
            yield f"{place}{name}", one, other
