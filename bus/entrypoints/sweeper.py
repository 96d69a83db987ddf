"""The distributed mode's sweeper: rings for what is due, buries dead workers, reads feeds, seals audit rows.

Several may run; one of them, by a lease in the database, does the work, and another goes on when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import time
import uuid

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bus.contract.clock import MICROSECONDS
from bus.engine import controls, feed_state, killpoints
from bus.engine.claim import has_due, reclaim
from bus.engine.timekeeping import Timekeeper, interval
from bus.engine.writer import StoreUnavailable

from .links import Links, open_drops, open_links
from .replay_runner import ReplayRunner
from .settings import Settings
from .unheard import speak_without_waiting
from .upkeep import mend_times, open_patiently, readers, say, seal_audit, sweep_parents
from .wiring import Hub
from .worker import Doorbell

INTERVAL = 0.5
"""Seconds between two sweeps: how long a lost doorbell delays a delivery at most."""

_LEASE = ("hub", "sweeper")


class Sweeper:
    """One process's sweeper. ``leads`` tells whether it has the lease."""

    def __init__(self, hub: Hub, links: Links, doorbell: Doorbell) -> None:
        self._hub = hub
        self._links = links
        self._doorbell = doorbell
        self._dead = hub.settings.dead_seconds
        self._owner = f"sweeper-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._kinds = {system: sink.kind for system, sink in links.sinks.items()}
        self._work: list[asyncio.Task[None]] = []
        self._timekeeper = Timekeeper(hub.clock, hub.writer, owner=self._owner, every=interval(hub.database))
        self._patient_until = 0.0

    @property
    def leads(self) -> bool:
        return bool(self._work)

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep while the lease is ours, until ``stop``."""
        try:
            while not stop.is_set():
                with contextlib.suppress(StoreUnavailable, DBAPIError):
                    await self._step()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), INTERVAL)
        finally:
            self._retire()
            with contextlib.suppress(StoreUnavailable, DBAPIError):
                await self._hub.writer.run(lambda c: feed_state.end_lease(c, *_LEASE, self._owner))

    async def _step(self) -> None:
        if await self._timekeeper.look():
            self._patient_until = time.monotonic() + self._dead  # others sign by the time that was, and live
        now = self._hub.clock()
        lasting = int(self._dead * MICROSECONDS)
        take = functools.partial(
            feed_state.take_lease, system=_LEASE[0], feed=_LEASE[1], owner=self._owner, now=now, lasting=lasting
        )
        if not await self._hub.writer.run(take):
            self._retire()
            return
        for task in self._work:
            if task.done():
                task.result()  # none of them ends by itself: the process fails, and is started again
        if not self._work:
            self._work = [asyncio.create_task(sweep_parents(self._hub))]
            self._work.append(asyncio.create_task(mend_times(self._hub)))
            self._work.append(asyncio.create_task(seal_audit(self._hub, self._owner)))
            self._work.append(asyncio.create_task(ReplayRunner(self._hub, self._owner).run()))
            self._work += [asyncio.create_task(one.run()) for one in readers(self._hub, self._links)]
        due = await asyncio.to_thread(self._due)
        killpoints.passing("sweeper.mid_tick")
        self._doorbell.ring(due)
        await self._bury(now)

    def _due(self) -> set[str]:
        now = self._hub.clock()
        with self._hub.database.reads.connect() as connection:
            listed = [destination.name for destination in self._links.destinations(connection)]
            return {name for name in listed if has_due(connection, name, now)}

    async def _bury(self, now: int) -> None:
        """What a dead worker held is taken back at once, not when its lease ends."""
        if time.monotonic() < self._patient_until:
            return
        for owner in await asyncio.to_thread(self._dead_workers, now):
            count = await self._hub.writer.run(functools.partial(self._take_back, owner=owner, now=now))
            if count is not None:
                say(f"sweeper: {owner} is dead; took back {count} deliveries")

    def _dead_workers(self, now: int) -> list[str]:
        with self._hub.database.reads.connect() as connection:
            return controls.dead(connection, now, self._dead)

    def _take_back(self, connection: Connection, owner: str, now: int) -> int | None:
        """In one transaction with its signing off: one that comes back signs, and so waits for the end of this."""
        if not controls.bury(connection, owner, now, self._dead):
            return None
        return reclaim(connection, now, died=True, kinds=self._kinds, routing=self._hub.routing, owner=owner)

    def _retire(self) -> None:
        """Another has the lease, or we end: stop reading feeds."""
        for task in self._work:
            task.cancel()
        self._work = []


def sweep(settings: Settings) -> int:
    """Run a sweeper until it is told to stop; answers the exit code."""
    speak_without_waiting()
    return asyncio.run(_main(settings))


async def _main(settings: Settings) -> int:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    hub = await asyncio.to_thread(open_patiently, settings)
    links = open_links(settings)
    open_drops(links, [(feed.system, feed.name) for feed in hub.catalogue.feeds if feed.read is not None])
    doorbell = Doorbell(settings)
    try:
        await Sweeper(hub, links, doorbell).run(stop)
    finally:
        doorbell.close()
        await links.close()
        hub.close()
    return 0
