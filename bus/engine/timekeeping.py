"""Time that jumps: what is stored keeps its distance from now, and what lies impossibly far ahead comes due.

Every process reads a :class:`~bus.contract.clock.SteadyClock`. A jump of its source (an administrator, NTP after a
long silence, a database on another machine) is seen here before anything is compared with it. The reasons are in
docs/adr/0030.
"""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from bus.contract.clock import MICROSECONDS, Clock, SteadyClock, system_clock

from .database import Database
from .lanes import chunks
from .outcome import LONGEST_ASKED
from .registers import feeds, replays, workers
from .routing import Routing
from .tables import OPEN, deliveries, lanes
from .writer import Writer

JUMP = MICROSECONDS
"""Differences up to this are the ordinary mending of a clock, and followed without a word."""

OFTEN = 0.1
SELDOM = 1.0
"""Seconds between two looks at the machine's own clock, and at the database's."""

PORTION = 5000
"""Deliveries moved in one transaction: a jump before a large backlog must not keep others from writing."""


def interval(database: Database) -> float:
    """Seconds between two looks at what a hub with this store takes its time from."""
    return OFTEN if database.is_sqlite else SELDOM


def hub_clock(database: Database) -> SteadyClock:
    """The time of a hub: with SQLite the machine's, which its processes share; with PostgreSQL the database's."""
    return SteadyClock(system_clock if database.is_sqlite else database_clock(database.reads))


def database_clock(engine: Engine) -> Clock:
    """The machine's time, or the database's where the two differ by more than ``JUMP``.

    So processes on machines that disagree have one time. Below that a machine's own is left alone: asking takes a
    moment, and would make the times of one machine's processes differ. Raises what SQLAlchemy raises.
    """

    def read() -> int:
        with engine.connect() as connection:
            began = system_clock()
            theirs = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
            ours = (began + system_clock()) // 2
        difference = int(theirs * MICROSECONDS) - ours
        return system_clock() + (difference if abs(difference) > JUMP else 0)

    return read


class Timekeeper:
    """Lets a process follow its clock's source; the leases that it holds (as ``owner``) last as long as before."""

    def __init__(self, clock: SteadyClock, writer: Writer, *, owner: str, every: float) -> None:
        self._clock = clock
        self._writer = writer
        self._owner = owner
        self._every = every
        self._looked_at = float("-inf")

    async def look(self) -> int:
        """Answers by how many microseconds the hub's time has jumped: 0, unless something happened to a clock."""
        if time.monotonic() - self._looked_at < self._every:
            return 0
        try:
            by = await asyncio.to_thread(self._clock.ahead)
        except SQLAlchemyError:  # the database is away, and with it the source: we go on as the processor ticks
            return 0
        self._looked_at = time.monotonic()
        before = self._clock.offset
        if abs(by) <= JUMP:
            self._clock.offset = before + by
            return 0
        try:
            await self._writer.run(functools.partial(self._jump, by=by, to=before + by))
        except BaseException:
            self._clock.offset = before  # nothing was stored: the next look sees the same jump
            raise
        return by

    def _jump(self, connection: Connection, by: int, to: int) -> None:
        """In the writer's thread, so that each claim is made by the one time or by the other, leases and all."""
        moved = update(lanes).where(lanes.c.owner == self._owner).values(lease_until=lanes.c.lease_until + by)
        connection.execute(moved)
        self._clock.offset = to


def follow(clock: SteadyClock, every: float, over: threading.Event) -> None:
    """Let a process that holds no leases follow its clock's source, in a thread of its own, until it is ``over``."""
    while not over.wait(every):
        try:
            clock.offset += clock.ahead()
        except SQLAlchemyError:
            continue


def move_due_times(connection: Connection, now: int, by: int, beyond: int = 0, after: int = 0) -> int:
    """After a jump back (``by`` is negative): what lies more than ``beyond`` ahead of ``now`` comes earlier by as much.

    Deliveries are moved a portion at a time, by ``seq``; answers from where to go on, 0 at the end.
    """
    ours = now + beyond
    columns = deliveries.c
    ahead = select(columns.seq).where(OPEN, columns.holds == 1, columns.seq > after, columns.due_at > ours)
    seqs = list(connection.execute(ahead.order_by(columns.seq).limit(PORTION)).scalars())
    for part in chunks(seqs):
        connection.execute(update(deliveries).where(columns.seq.in_(part)).values(due_at=columns.due_at + by))
    if len(seqs) == PORTION:
        return int(seqs[-1])
    connection.execute(update(lanes).where(lanes.c.due_at > ours).values(due_at=lanes.c.due_at + by))
    connection.execute(update(workers).where(workers.c.heartbeat_at > now).values(heartbeat_at=now))
    connection.execute(update(replays).where(replays.c.tokens_at > now).values(tokens_at=now))
    return 0


def farthest(routing: Routing) -> float:
    """Seconds that the hub itself may make a delivery wait, at the very most."""
    return max([LONGEST_ASKED, *(route.retry.longest for route in routing.routes.values())])


def pull_in(connection: Connection, now: int, seconds: float) -> int:
    """What would come due more than ``seconds`` from now was stored by a wrong clock, and is due now."""
    limit = now + int(seconds * MICROSECONDS)
    far = select(lanes.c.destination, lanes.c.lane).where(lanes.c.due_at > limit).limit(PORTION)
    found = [tuple(row) for row in connection.execute(far)]
    for destination, lane in found:
        line = (deliveries.c.destination == destination) & (deliveries.c.lane == lane) & (deliveries.c.holds == 1)
        connection.execute(update(deliveries).where(line, deliveries.c.due_at > limit).values(due_at=now))
        here = (lanes.c.destination == destination) & (lanes.c.lane == lane)
        connection.execute(update(lanes).where(here).values(due_at=now))
    for table in (feeds, replays):
        connection.execute(update(table).where(table.c.lease_until > limit).values(lease_until=now))
    return len(found)


class Moves:
    """When stored times are to be moved after a jump back: at once, and again when all processes have seen it.

    Again only what a process can have stored that had not seen it yet: by its time, which is ahead of ours by the
    jump. A wait of a shorter one is ours, and keeps its length. ``tell`` hears of each jump, in microseconds.
    """

    AGAIN: Iterable[float] = (0.0, 2.0, 10.0)

    def __init__(self, clock: SteadyClock, tell: Callable[[int], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._seen = clock.offset
        self._planned: list[tuple[float, int, int]] = []

    def due(self, now: float) -> list[tuple[int, int]]:
        """By how much to move now, and from how far ahead on; ``now`` in seconds that never jump."""
        by, self._seen = self._clock.offset - self._seen, self._clock.offset
        if abs(by) > JUMP:
            self._tell(by)
        if by < -JUMP:
            # A second more than has passed, for the moment between two looks.
            spared = ((pause, -by - int(pause * MICROSECONDS) - JUMP if pause else 0) for pause in self.AGAIN)
            self._planned += [(now + pause, by, max(0, beyond)) for pause, beyond in spared]
        ready = [(by, beyond) for at, by, beyond in self._planned if at <= now]
        self._planned = [one for one in self._planned if one[0] > now]
        return ready
