"""What operators do while the load goes on."""

from __future__ import annotations

from dataclasses import dataclass

from proof.scene import Scene, now

from .fault import Fault


@dataclass(frozen=True)
class RollingRestart(Fault):
    """Every process once, in turn, asked to end by SIGTERM."""

    async def strike(self, scene: Scene) -> None:
        number = await scene.began(self, hit=True, at=now())
        await scene.hub.restart()
        await scene.hub.ready()
        await scene.ended(number)


DEPLOYMENT: tuple[Fault, ...] = (RollingRestart("F47", "rolling restart"),)
