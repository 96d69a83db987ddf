"""What one process of a hub does beside delivering: read feeds, free children, and tell what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import time

from sqlalchemy.exc import DBAPIError, OperationalError

from bus.contract.clock import MICROSECONDS
from bus.engine import parents, sealing, timekeeping
from bus.engine.polling import DropWatch, Poller
from bus.engine.writer import StoreUnavailable

from .links import Links, clerk_file
from .settings import Settings
from .wiring import Hub, open_hub

PARENT_SWEEP = 5.0
"""Seconds between two looks at waiting children, for parents that arrived in the same instant."""

SEAL = 1.0
"""Seconds between two looks for audit rows that are in no chain yet."""


FAR = 10.0
"""Seconds between two looks for times that only a wrong clock can have stored."""


def say(line: str) -> None:
    """One line for whoever runs the hub; ids and reasons, never values."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the process's own voice


def open_patiently(settings: Settings) -> Hub:
    """Open the hub, and wait where its store is not there (yet): all processes of a city start at once."""
    told = False
    pause = 0.1
    while True:
        try:
            return open_hub(settings, tell=say)
        except (StoreUnavailable, OperationalError) as error:
            if not told:
                say(f"arus: waits for the store ({type(error).__name__}); see ARUS_DATABASE_URL")
            told = True
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


def readers(hub: Hub, links: Links) -> list[Poller | DropWatch]:
    """Everything that reads: polled sources and drop folders."""
    found: list[Poller | DropWatch] = []
    for feed in hub.catalogue.feeds:
        place = feed.system, feed.name
        if place in links.sources:
            found.append(Poller(feed, links.sources[place], hub.intake, hub.settings.poll_seconds, say))
        if place in links.drops:
            interval = min(hub.settings.poll_seconds, 1.0)
            found.append(DropWatch(feed, links.drops[place], hub.intake, interval, clerk_file, say))
    return found


async def sweep_parents(hub: Hub) -> None:
    """Look at waiting children again and again, a portion at a time."""
    after = 0
    while True:
        with contextlib.suppress(StoreUnavailable, DBAPIError):
            sweep = functools.partial(parents.sweep, routing=hub.routing, now=hub.clock(), after=after)
            _, after = await hub.writer.run(sweep)
        await asyncio.sleep(PARENT_SWEEP if after == 0 else 0.05)


async def mend_times(hub: Hub) -> None:
    """Move what is stored after the clock went back, and let nothing wait for a time that a wrong clock wrote."""
    moves = timekeeping.Moves(hub.clock, lambda by: say(f"arus: the clock jumped by {by / MICROSECONDS:+.0f} s"))
    farthest = timekeeping.farthest(hub.routing)
    looked_at = float("-inf")
    while True:
        with contextlib.suppress(StoreUnavailable, DBAPIError):
            for by, beyond in moves.due(time.monotonic()):
                await _move(hub, by, beyond)
            if time.monotonic() - looked_at >= FAR:
                await hub.writer.run(functools.partial(timekeeping.pull_in, now=hub.clock(), seconds=farthest))
                looked_at = time.monotonic()
        await asyncio.sleep(timekeeping.OFTEN)


async def _move(hub: Hub, by: int, beyond: int) -> None:
    after = 0
    while True:
        move = functools.partial(timekeeping.move_due_times, now=hub.clock(), by=by, beyond=beyond, after=after)
        after = await hub.writer.run(move)
        if after == 0:
            return


async def seal_audit(hub: Hub, owner: str) -> None:
    """Chain the audit rows soon after their commit. An idle hub only looks: nothing is written."""
    while True:
        sealed = 0
        with contextlib.suppress(StoreUnavailable, DBAPIError):
            if await asyncio.to_thread(_has_unsealed, hub):
                sealed = await hub.writer.run(functools.partial(sealing.seal, owner=owner, now=hub.clock()))
        await asyncio.sleep(0.02 if sealed == sealing.PORTION else SEAL)


def _has_unsealed(hub: Hub) -> bool:
    with hub.database.reads.connect() as connection:
        return sealing.has_unsealed(connection)
