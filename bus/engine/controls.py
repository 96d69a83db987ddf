"""Controls: what people switch while the hub runs, and how every worker comes to know before an answer is given.

Each change raises one number. A worker that has read the change writes the number beside its name; whoever switched
waits for that. So after ``pause`` answers, no further attempt starts anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select, update

from .dialect import insert
from .registers import controls, systems, workers

_NUMBER = "control"

ALIVE = 3.0
"""Seconds since its last sign of life within which a worker counts as alive."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What is switched at ``number``: the paused systems."""

    number: int = 0
    paused: frozenset[str] = field(default_factory=frozenset)


def number(connection: Connection) -> int:
    return connection.execute(select(controls.c.value).where(controls.c.name == _NUMBER)).scalar() or 0


def raise_number(connection: Connection) -> int:
    """Tell all workers to look again; answers the number that they will have seen then."""
    statement = insert(connection, controls).values(name=_NUMBER, value=1)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": controls.c.value + 1})
    return int(connection.execute(statement.returning(controls.c.value)).scalar_one())


def read(connection: Connection) -> Switches:
    paused = connection.execute(select(systems.c.id).where(systems.c.paused_at.is_not(None)))
    return Switches(number(connection), frozenset(row.id for row in paused))


def set_paused(connection: Connection, system: str, *, at: int | None, reason: str | None) -> int:
    """``at`` None resumes. Answers the number to wait for (see ``seen_by_all``)."""
    connection.execute(update(systems).where(systems.c.id == system).values(paused_at=at, paused_reason=reason))
    return raise_number(connection)


def sign(connection: Connection, worker: str, now: int, seen: int, circuits: Mapping[str, bool] | None = None) -> int:
    """A worker's sign of life, with the number it acts on and which of its circuits are open.

    Answers how many workers there are, it included; a dead one is among them until it is buried.
    """
    told = json.dumps({name: int(is_open) for name, is_open in sorted((circuits or {}).items())})
    statement = insert(connection, workers).values(
        id=worker, started_at=now, heartbeat_at=now, control_seen=seen, circuits=told
    )
    changed = {"heartbeat_at": now, "control_seen": seen, "circuits": told}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))
    return int(connection.execute(select(func.count()).select_from(workers)).scalar_one())


def sign_off(connection: Connection, worker: str) -> None:
    connection.execute(workers.delete().where(workers.c.id == worker))


def sign_off_all(connection: Connection) -> None:
    """No other worker lives (embedded mode, at the engine's start)."""
    connection.execute(workers.delete())


DEAD = 15.0
"""Seconds without a sign of life after which a worker is taken for dead. A paused one that comes back is fenced."""


def dead(connection: Connection, now: int, after: float = DEAD) -> list[str]:
    """Workers that have not signed for so long (``after`` seconds) that what they hold is taken back."""
    statement = select(workers.c.id).where(workers.c.heartbeat_at < now - int(after * 1_000_000))
    return [row.id for row in connection.execute(statement)]


def bury(connection: Connection, worker: str, now: int, after: float = DEAD) -> bool:
    """Sign a dead worker off. False: it has signed meanwhile, and lives."""
    silent = workers.c.heartbeat_at < now - int(after * 1_000_000)
    return connection.execute(workers.delete().where(workers.c.id == worker, silent)).rowcount == 1


def behind(connection: Connection, wanted: int, now: int) -> list[str]:
    """Living workers that have not yet read change ``wanted``."""
    statement = select(workers.c.id).where(
        workers.c.control_seen < wanted, workers.c.heartbeat_at > now - int(ALIVE * 1_000_000)
    )
    return [row.id for row in connection.execute(statement)]


def circuits(connection: Connection, now: int) -> dict[str, bool]:
    """By destination: does any living worker keep its attempts away?"""
    statement = select(workers.c.circuits).where(workers.c.heartbeat_at > now - int(ALIVE * 1_000_000))
    found: dict[str, bool] = {}
    for row in connection.execute(statement):
        for name, is_open in json.loads(row.circuits).items():
            found[name] = found.get(name, False) or bool(is_open)
    return found
