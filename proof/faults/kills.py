"""Processes that die: at random, at an exact place, in the middle of a call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from proof.hub import PAUSE_SECONDS
from proof.scene import Scene, now

from .fault import EMBEDDED, PATIENCE, Fault


@dataclass(frozen=True)
class KillAtPoint(Fault):
    """SIGKILL at a place inside the process; see ``ARUS_KILL_POINT``. ``part`` is the kind of process that passes."""

    point: str = ""
    part: str = ""

    async def strike(self, scene: Scene) -> None:
        at = now()
        with scene.progress.feeding():
            pid = await scene.hub.order_kill(self.point, PATIENCE)
        number = await scene.began(self, hit=pid is not None, at=at, pid=pid)
        if pid is not None:
            await scene.hub.back(getattr(scene.hub, self.part, self.part), pid)
        await scene.ended(number)


@dataclass(frozen=True)
class KillAnywhere(Fault):
    """SIGKILL from outside, wherever the process just is."""

    part: str = ""

    async def strike(self, scene: Scene) -> None:
        at, part = now(), getattr(scene.hub, self.part, self.part)
        pid = await scene.hub.kill(part)
        number = await scene.began(self, hit=True, at=at, pid=pid)
        await scene.hub.back(part, pid)
        await scene.ended(number)


@dataclass(frozen=True)
class KillInCall(Fault):
    """SIGKILL while the destination has applied the message, has synced that, and has not answered."""

    async def strike(self, scene: Scene) -> None:
        at = now()
        held = (await scene.receiver.answers()).get("hold", 0)
        await scene.receiver.change(replace(scene.mood, hold=1))
        with scene.progress.feeding():
            caught = await self._caught(scene, held, at + PATIENCE)
        # In the distributed mode nobody knows which worker it is: all of them die.
        pids = [(part, await scene.hub.kill(part)) for part in scene.hub.deliverers()]
        number = await scene.began(self, hit=caught, at=at, pids=[pid for _, pid in pids])
        await scene.receiver.change(scene.mood)
        for part, pid in pids:
            await scene.hub.back(part, pid)
        await scene.ended(number)

    async def _caught(self, scene: Scene, held: int, until: float) -> bool:
        while (await scene.receiver.answers()).get("hold", 0) == held:
            if now() > until:
                return False
            await asyncio.sleep(PAUSE_SECONDS)
        return True


KILLS: tuple[Fault, ...] = (
    KillAtPoint("F01", "kill -9 before the accept commits", point="api.before_commit", part="accepts"),
    KillAnywhere("F01", "kill -9 of a process that accepts", part="accepts"),
    KillAnywhere("F01", "kill -9 of the hub", EMBEDDED, part="hub"),
    KillAtPoint("F02", "kill -9 between commit and answer", point="api.after_commit", part="accepts"),
    KillAtPoint("F03", "kill -9 before the call", point="worker.before_send:5", part="delivers", meter="applied"),
    KillAnywhere("F03", "kill -9 of a process that delivers", part="delivers", meter="applied"),
    KillInCall("F04", "kill -9 in the call, after it was applied", meter="applied"),
    KillAtPoint("F05", "kill -9 after the answer", point="worker.after_response:5", part="delivers", meter="applied"),
    KillAtPoint(
        "F05", "kill -9 before the delivery commits", point="worker.before_settle_commit:2", part="delivers",
        meter="applied",
    ),
)  # fmt: skip
