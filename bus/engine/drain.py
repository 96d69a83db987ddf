"""The draining loop of one worker: when the doorbell rings or time comes, claim what is due and carry it."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable, Iterable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bus.contract.clock import MICROSECONDS, Clock

from . import controls
from .claim import ClaimedLane, claim, has_due
from .controls import Switches
from .courier import Courier
from .database import Database
from .destination import Destination
from .gate import Gate
from .routing import Routing
from .settle import Settler
from .timekeeping import Timekeeper
from .writer import StoreUnavailable, Writer

LEASE = 60.0
"""Seconds for which a claimed lane belongs to its worker; an attempt takes at most half of it."""

DEPTH = 16
"""Deliveries of one lane taken at once."""

SWEEP = 0.25
"""Seconds after which a worker looks for due work without being rung."""

LOOK = 0.1
"""Seconds between two looks at the switches."""

Destinations = Callable[[Connection], Iterable[Destination]]
"""Names all destinations; asked again whenever something was switched. A known one keeps its object."""


class Drain:
    """Drives all destinations of one process. ``ring`` may be called from the loop's thread at any time.

    ``timekeeper`` follows the source of ``clock``; without it, whoever hands the clock in never lets it jump.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        routing: Routing,
        settler: Settler,
        destinations: Destinations,
        clock: Clock,
        *,
        owner: str,
        lease: float = LEASE,
        depth: int = DEPTH,
        timekeeper: Timekeeper | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._list = destinations
        self._clock = clock
        self._owner = owner
        self._lease = lease
        self._depth = depth
        self._timekeeper = timekeeper
        self._switches = Switches(-1)
        self._destinations: dict[str, Destination] = {}
        self._bell = asyncio.Event()
        self._carrying: dict[asyncio.Task[None], list[ClaimedLane]] = {}
        self._gate = Gate()
        self._signed_at = 0
        self._stopping = False
        self._visiting: dict[str, asyncio.Event] = {}
        self.courier = Courier(
            routing, settler, writer, clock, owner=owner, deadline=lease / 2, may_start=self._may_start, chance=chance
        )

    def ring(self) -> None:
        """There may be work."""
        self._bell.set()

    @property
    def destinations(self) -> dict[str, Destination]:
        return self._destinations

    def _may_start(self, destination: Destination) -> bool:
        return not self._silent and not self._stopping and destination.system not in self._switches.paused

    @property
    def _silent(self) -> bool:
        """Our last sign of life is so old that a pause may be answered, and our lanes taken, without us."""
        return self._clock() >= self._signed_at + int(controls.ALIVE * MICROSECONDS)

    async def run(self) -> None:
        """Drain until cancelled; then wait for the attempts under way, and give back what was not begun."""
        await self.look()
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                self._bell.clear()
                await self._round()
                try:
                    async with asyncio.timeout(SWEEP):
                        await self._bell.wait()
                except TimeoutError:
                    continue
        finally:
            self._stopping = True
            watch.cancel()
            if self._carrying:
                await asyncio.wait(self._carrying)

    async def watch(self) -> None:
        """Follow the switches, without draining: for a worker that is told whom to visit."""
        await self.look()
        await self._watch()

    async def visit(self, name: str, patience: float) -> bool:
        """Carry what is due at one destination until nothing is left or ``patience`` seconds are over.

        True: there may be more. What is still under way then ends without being waited for, so that a slow
        destination does not keep who visits. One visit to a destination at a time: a second caller rings for the
        first, and hears that nothing is left to do for him.
        """
        if name in self._visiting:
            self._visiting[name].set()
            return False
        bell = self._visiting[name] = asyncio.Event()
        try:
            return await self._visit(name, bell, patience)
        finally:
            del self._visiting[name]

    async def _visit(self, name: str, bell: asyncio.Event, patience: float) -> bool:
        until = asyncio.get_running_loop().time() + patience
        if name not in self._destinations:
            await self.look()
        began = False
        while True:
            bell.clear()
            destination = self._destinations.get(name)
            if destination is None or not self._may_start(destination):
                return False
            claimed = await self._claim(destination)
            began = began or claimed > 0
            if not claimed and not (began and destination.lanes_in_hand) and not bell.is_set():
                return False
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return claimed > 0 or bell.is_set()
            try:
                async with asyncio.timeout(left):
                    await bell.wait()  # rung by a lane that ended, or by a doorbell
            except TimeoutError:
                return claimed > 0

    async def stop(self) -> None:
        """Start nothing more; wait for what is under way."""
        self._stopping = True
        if self._carrying:
            await asyncio.wait(self._carrying)

    async def _round(self) -> None:
        try:
            due = await asyncio.to_thread(self._due)
        except DBAPIError:  # the store is away: the next round looks again
            return
        claims = [self._claim(destination) for destination in due]
        for outcome in await asyncio.gather(*claims, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, StoreUnavailable):
                raise outcome

    def _due(self) -> list[Destination]:
        """Destinations with room and with something due."""
        open_ones = [
            destination
            for destination in self._destinations.values()
            if self._may_start(destination) and destination.room > 0
        ]
        now = self._clock()
        with self._database.reads.connect() as connection:
            return [one for one in open_ones if has_due(connection, one.name, now)]

    async def _claim(self, destination: Destination) -> int:
        """Claim as many lanes as there is room for and set them on their way; answers how many."""
        width = destination.room
        if width <= 0:
            return 0
        destination.lanes_in_hand += width
        claimed: list[ClaimedLane] = []
        try:
            claimed = await self._writer.run(functools.partial(self._take, destination.name, width))
        finally:
            destination.lanes_in_hand -= width - len(claimed)
        for part in self._parts(destination, claimed):
            task = asyncio.create_task(self._carry(destination, part))
            self._carrying[task] = part
            task.add_done_callback(self._carried)
        if len(claimed) == width:
            self._bell.set()
        return len(claimed)

    def _take(self, name: str, width: int, connection: Connection) -> list[ClaimedLane]:
        # The clock is read in the writer's thread: so no claim stands astride a jump.
        now, owner = self._clock(), self._owner
        return claim(connection, name, now, owner=owner, width=width, depth=self._depth, lease=self._lease)

    def _parts(self, destination: Destination, claimed: list[ClaimedLane]) -> list[list[ClaimedLane]]:
        suspects = [[lane] for lane in claimed if lane.deliveries[0].alone]
        others = [lane for lane in claimed if not lane.deliveries[0].alone]
        if destination.sink.batch > 1:
            return [*suspects, *([others] if others else [])]
        return [*suspects, *([lane] for lane in others)]

    async def _carry(self, destination: Destination, part: list[ClaimedLane]) -> None:
        """A suspect (its worker died) is carried while nothing else is, so that a further death names it."""
        passing = self._gate.alone() if part[0].deliveries[0].alone else self._gate.together()
        try:
            async with passing:
                await self.courier.carry(destination, part)
        finally:  # also when the store could not take the report: the room must not shrink with every fault
            destination.lanes_in_hand -= len(part)
            if (bell := self._visiting.get(destination.name)) is not None:
                bell.set()

    def _carried(self, task: asyncio.Task[None]) -> None:
        self._carrying.pop(task, None)
        self._bell.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StoreUnavailable):
            asyncio.get_running_loop().call_exception_handler({"message": "a courier failed", "exception": error})

    async def _watch(self) -> None:
        """Learn what was switched, act on it, and say so."""
        while True:
            try:
                await self.look()
            except (StoreUnavailable, DBAPIError):
                pass  # the store is away: the switches stand as they were
            except Exception as error:  # noqa: BLE001 - a worker that no longer hears a pause would be worse
                told = {"message": "the switches could not be read", "exception": error}
                asyncio.get_running_loop().call_exception_handler(told)
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Read the switches; from the return on, every attempt that starts obeys them."""
        switches, listed = await asyncio.to_thread(self._read_switches)
        if listed is not None:
            self._destinations = {one.name: one for one in listed}
            self._switches = switches
            self._bell.set()
        if self._timekeeper is not None and (by := await self._timekeeper.look()):
            self._signed_at += by
            for lane in self._in_hand():
                lane.lease_until += by
        now = self._clock()
        if self._silent:
            # They may be another's by now: once we are heard again, only what we claim anew may start.
            for lane in self._in_hand():
                lane.lease_until = 0
        if listed is not None or now - self._signed_at > MICROSECONDS:
            count = await self._writer.run(
                functools.partial(
                    controls.sign,
                    worker=self._owner,
                    now=now,
                    seen=self._switches.number,
                    circuits={name: one.circuit.open for name, one in self._destinations.items()},
                )
            )
            self._signed_at = now
            for one in self._destinations.values():
                one.pace.share(count)

    def _in_hand(self) -> list[ClaimedLane]:
        return [lane for part in self._carrying.values() for lane in part]

    def _read_switches(self) -> tuple[Switches, list[Destination] | None]:
        with self._database.reads.connect() as connection:
            if controls.number(connection) == self._switches.number:
                return self._switches, None
            return controls.read(connection), list(self._list(connection))
