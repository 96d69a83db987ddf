"""Processes that stand still and come back, not knowing that time has passed."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass

from proof.scene import Scene, now

from .fault import Fault


@dataclass(frozen=True)
class Pause(Fault):
    """SIGSTOP for twice the lease, then SIGCONT."""

    part: str = ""

    async def strike(self, scene: Scene) -> None:
        at = now()
        pid = scene.hub.part(getattr(scene.hub, self.part, self.part))
        os.kill(pid, signal.SIGSTOP)
        try:
            number = await scene.began(self.name, hit=True, at=at, pid=pid)
            # Here the clock is the fault: the lease runs out on it.
            await asyncio.sleep(2 * scene.lease)
        finally:
            os.kill(pid, signal.SIGCONT)
        await scene.hub.ready()
        await scene.ended(number)


PAUSES: tuple[Fault, ...] = (Pause("F07", "a process that delivers is paused for two leases", part="delivers"),)
