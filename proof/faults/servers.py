"""The servers of the distributed mode, and the network towards them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from proof.hub import PAUSE_SECONDS
from proof.proxy import Weather
from proof.scene import Scene, now

from .fault import DISTRIBUTED, PATIENCE, Fault
from .kills import KillAtPoint


@dataclass(frozen=True)
class BrokerDies(Fault):
    """``kill -9``; ``forgets``: it starts again without its data."""

    forgets: bool = False

    async def strike(self, scene: Scene) -> None:
        at, broker = now(), scene.outer().broker
        pids = await broker.kill()
        number = await scene.began(self.name, hit=True, at=at, pids=pids)
        # Messages are taken meanwhile: publishing is off the request path.
        await scene.progress.grown("acknowledged", 20)
        if self.forgets:
            broker.forget()
        await broker.start()
        await scene.hub.ready()
        await scene.ended(number)


@dataclass(frozen=True)
class DatabaseDies(Fault):
    """``kill -9`` of the server and every session."""

    async def strike(self, scene: Scene) -> None:
        at, database = now(), scene.outer().database
        pids = await database.kill()
        number = await scene.began(self.name, hit=True, at=at, pids=pids)
        await database.start()
        await scene.hub.ready()
        await scene.ended(number)


@dataclass(frozen=True)
class BadServerNetwork(Fault):
    """Bad weather before one of the servers until it has hit ``times`` times, and for ``seconds`` at least."""

    before: str = ""
    weather: Weather = field(default_factory=Weather)
    hit: str = ""
    times: int = 5
    seconds: float = 0.0

    async def strike(self, scene: Scene) -> None:
        servers = scene.outer()
        gate = servers.database_gate if self.before == "database" else servers.broker_gate
        at, hits = now(), 0
        before = (await gate.change(self.weather)).get(self.hit, 0)
        while (hits < self.times and now() < at + PATIENCE) or now() < at + self.seconds:
            await asyncio.sleep(PAUSE_SECONDS)
            hits = (await gate.hits()).get(self.hit, 0) - before
        await gate.change(Weather())
        number = await scene.began(self.name, hit=hits >= self.times, at=at, hits=hits)
        await scene.hub.ready()
        await scene.ended(number)


SERVERS: tuple[Fault, ...] = (
    KillAtPoint("F06", "kill -9 of the sweeper in its tick", DISTRIBUTED, point="sweeper.mid_tick", part="sweeper"),
    BrokerDies("F09", "broker killed and started", DISTRIBUTED),
    BrokerDies("F10", "broker lost with its data", DISTRIBUTED, forgets=True),
    BadServerNetwork(
        "F12", "half-open connections to the broker", DISTRIBUTED, before="broker", weather=Weather(black_hole=True),
        hit="black_hole", times=1,
    ),
    DatabaseDies("F14", "PostgreSQL killed and started", DISTRIBUTED),
    BadServerNetwork(
        "F15", "connection cut instead of the answer to COMMIT", DISTRIBUTED, before="database",
        weather=Weather(reset_answers=True, reset_on="COMMIT", share=0.2), hit="reset_answers",
    ),
)  # fmt: skip
