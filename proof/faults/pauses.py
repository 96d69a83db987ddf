"""Processes that stand still and come back, not knowing that time has passed."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass

from proof.processes import alive
from proof.scene import Scene, now

from .fault import DISTRIBUTED, Fault


@dataclass(frozen=True)
class Pause(Fault):
    """SIGSTOP for twice the lease, then SIGCONT; of several parts one after the other, so that the one is there."""

    parts: tuple[str, ...] = ()

    async def strike(self, scene: Scene) -> None:
        at, pids = now(), []
        for part in self.parts:
            pid = scene.hub.part(getattr(scene.hub, part, part))
            pids.append(pid)
            os.kill(pid, signal.SIGSTOP)
            try:
                # Here the clock is the fault: the lease runs out on it.
                await asyncio.sleep(2 * scene.lease)
            finally:
                os.kill(pid, signal.SIGCONT)
        number = await scene.began(self, hit=all(map(alive, pids)), at=at, pids=pids)
        await scene.hub.ready()
        await scene.ended(number)


PAUSES: tuple[Fault, ...] = (
    # One of the two leads: whichever it is, it finds on its return that the other does.
    Pause("F06", "each sweeper is paused for two leases", DISTRIBUTED, quiet=True, parts=("sweeper-1", "sweeper-2")),
    Pause("F07", "a process that delivers is paused for two leases", parts=("delivers",)),
)
