"""The network between the hub and a destination."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from proof.hub import PAUSE_SECONDS
from proof.proxy import Weather
from proof.scene import Scene, now

from .fault import PATIENCE, Fault


@dataclass(frozen=True)
class BadNetwork(Fault):
    """Bad weather until it has hit ``times`` times, ``flaps`` times over with good weather between."""

    weather: Weather = field(default_factory=Weather)
    hit: str = ""
    times: int = 10
    flaps: int = 1

    async def strike(self, scene: Scene) -> None:
        at, hits = now(), 0
        for _ in range(self.flaps):
            hits += await self._storm(scene, now() + PATIENCE)
            await scene.progress.grown("applied", 1)
        number = await scene.began(self, hit=hits >= self.times * self.flaps, at=at, hits=hits)
        await scene.hub.ready()
        await scene.ended(number)

    async def _storm(self, scene: Scene, until: float) -> int:
        before = (await scene.gate.change(self.weather)).get(self.hit, 0)
        hits = 0
        with scene.progress.feeding():
            while hits < self.times and now() < until:
                await asyncio.sleep(PAUSE_SECONDS)
                hits = (await scene.gate.hits()).get(self.hit, 0) - before
        await scene.gate.change(Weather())
        return hits


NETWORK: tuple[Fault, ...] = (
    BadNetwork("F24", "partition, flapping", weather=Weather(refuse=True), hit="refuse", times=3, flaps=3),
    BadNetwork("F24", "partition that swallows everything", weather=Weather(black_hole=True), hit="black_hole"),
    BadNetwork("F25", "what is sent arrives, the answer does not", weather=Weather(deaf=True), hit="deaf"),
    BadNetwork("F27", "ten bytes a second", weather=Weather(rate=10, share=0.5), hit="rate", times=5),
    BadNetwork("F31", "reset after applying", weather=Weather(reset_answers=True, share=0.3), hit="reset_answers"),
    BadNetwork("F31", "answers cut short", weather=Weather(truncate=20, share=0.3), hit="truncate"),
    BadNetwork("F34", "requests sent twice on the way", weather=Weather(duplicate=True, share=0.3), hit="duplicate"),
)
