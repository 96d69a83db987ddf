"""The engine as a process of its own: claims, sends, settles, reads feeds, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import sys
import uuid

import uvloop

from bus.engine import controls
from bus.engine.claim import reclaim
from bus.engine.drain import Drain
from bus.engine.settle import Settler
from bus.engine.timekeeping import Timekeeper, interval
from bus.engine.writer import StoreUnavailable
from monitoring.metrics import tally

from . import watchdog
from .lifeline import DISK_FAILED, die_with_parent, say_started
from .links import Links, open_drops, open_links
from .replay_runner import ReplayRunner
from .settings import Settings
from .unheard import speak_without_waiting
from .upkeep import mend_times, readers, say, seal_audit, sweep_parents
from .wiring import Hub, open_hub

GRACE = 10.0
"""Seconds that a stopping engine gives to attempts under way; what is not settled then is sent again, same key."""


async def run(hub: Hub, links: Links, *, doorbell: int | None, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set."""
    owner = f"engine-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    settler = Settler(hub.routing, hub.clock, tally)
    drain = Drain(
        hub.database,
        hub.writer,
        hub.routing,
        settler,
        links.destinations,
        hub.clock,
        owner=owner,
        lease=hub.settings.lease_seconds,
        timekeeper=Timekeeper(hub.clock, hub.writer, owner=owner, every=interval(hub.database)),
    )
    if doorbell is not None:
        asyncio.get_running_loop().add_reader(doorbell, functools.partial(_hear, doorbell, drain))
    tasks = [asyncio.create_task(drain.run()), asyncio.create_task(sweep_parents(hub))]
    tasks.append(asyncio.create_task(mend_times(hub)))
    tasks.append(asyncio.create_task(seal_audit(hub, owner)))
    tasks.append(asyncio.create_task(ReplayRunner(hub, owner).run()))
    tasks += [asyncio.create_task(reader.run()) for reader in readers(hub, links)]
    ended = asyncio.create_task(stop.wait())
    await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=GRACE)
    await links.close()
    with contextlib.suppress(StoreUnavailable):  # the next engine signs all off
        await hub.writer.run(functools.partial(controls.sign_off, worker=owner))
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            raise error


def _hear(doorbell: int, drain: Drain) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(doorbell, 65536)
    drain.ring()


def _start_anew() -> None:
    """The disk failed a sync. What was sent and cannot be settled is sent again with the same key."""
    say("engine: the disk did not keep what was written; starts anew")
    os._exit(DISK_FAILED)


async def _main(settings: Settings, *, started: int, doorbell: int, died: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    hub = open_hub(settings, broken=_start_anew, tell=say)
    links = open_links(settings)
    open_drops(links, [(feed.system, feed.name) for feed in hub.catalogue.feeds if feed.read is not None])
    kinds = {system: sink.kind for system, sink in links.sinks.items()}
    await hub.writer.run(controls.sign_off_all)
    taken_back = await hub.writer.run(
        functools.partial(reclaim, now=hub.clock(), died=died, kinds=kinds, routing=hub.routing)
    )
    if taken_back:
        say(f"engine: took back {taken_back} deliveries that were under way")
    say_started(started)
    watching = asyncio.create_task(watchdog.watch())
    try:
        await run(hub, links, doorbell=doorbell, stop=stop)
    finally:
        watching.cancel()
        hub.close()


def main(arguments: list[str]) -> None:
    """``engine_process LIFELINE STARTED DOORBELL DIED``: three file descriptors and whether the one before died."""
    speak_without_waiting()
    die_with_parent(int(arguments[0]))
    doorbell = int(arguments[2])
    os.set_blocking(doorbell, False)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(Settings.load(), started=int(arguments[1]), doorbell=doorbell, died=arguments[3] == "died"))


if __name__ == "__main__":
    main(sys.argv[1:])
