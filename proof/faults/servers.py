"""The servers of the distributed mode, and the network towards them."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass, field

from proof.hub import PAUSE_SECONDS, HubFailed
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
        number = await scene.began(self, hit=True, at=at, pids=pids)
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
        number = await scene.began(self, hit=True, at=at, pids=pids)
        await database.start()
        await scene.hub.ready()
        await scene.ended(number)


@dataclass(frozen=True)
class BrokerBlocks(Fault):
    """A memory alarm: the broker takes no message from anybody. It is set off, and switched off again, by its tool."""

    async def strike(self, scene: Scene) -> None:
        at, broker = now(), scene.outer().broker
        await broker.control("set_vm_memory_high_watermark", "0.0001")
        number = await scene.began(self, hit=True, at=at)
        await scene.progress.grown("acknowledged", 20)
        await broker.control("set_vm_memory_high_watermark", "0.4")
        await scene.hub.ready()
        await scene.ended(number)


@dataclass(frozen=True)
class PoisonInTheQueue(Fault):
    """Messages that no hub wrote, among them a pickle that would make a file."""

    async def strike(self, scene: Scene) -> None:
        at, mark = now(), scene.hub.folder / "pickled"
        evil = pickle.dumps(_Evil(str(mark)))
        await asyncio.to_thread(scene.outer().broker.put, QUEUE, (*POISON, ("application/x-python-serialize", evil)))
        await scene.progress.grown("applied", 20)
        if mark.exists():
            raise HubFailed("a pickle from the queue was opened")
        number = await scene.began(self, hit=True, at=at)
        await scene.hub.ready()
        await scene.ended(number)


QUEUE = "arus.doorbell"
"""Where the hub's workers listen."""

POISON = (
    ("application/json", b"{"),
    ("application/json", b'[["x"], {}, {}]'),
    ("text/plain", b"\xff\xfe"),
    ("application/octet-stream", b""),
)


class _Evil:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self._path, "w")


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
        with scene.progress.feeding():
            while (hits < self.times and now() < at + PATIENCE) or now() < at + self.seconds:
                await asyncio.sleep(PAUSE_SECONDS)
                hits = (await gate.hits()).get(self.hit, 0) - before
        await gate.change(Weather())
        number = await scene.began(self, hit=hits >= self.times, at=at, hits=hits)
        await scene.hub.ready()
        await scene.ended(number)


SERVERS: tuple[Fault, ...] = (
    KillAtPoint(
        "F06", "kill -9 of the sweeper in its tick", DISTRIBUTED, quiet=True, point="sweeper.mid_tick", part="sweeper"
    ),
    BrokerDies("F09", "broker killed and started", DISTRIBUTED, quiet=True),
    BrokerDies("F10", "broker lost with its data", DISTRIBUTED, quiet=True, forgets=True),
    BrokerBlocks("F11", "broker blocks publishers", DISTRIBUTED, quiet=True),
    PoisonInTheQueue("F13", "poison in the queue", DISTRIBUTED, quiet=True, meter="applied"),
    BadServerNetwork(
        "F12", "half-open connections to the broker", DISTRIBUTED, quiet=True, before="broker",
        weather=Weather(black_hole=True), hit="black_hole", times=1,
    ),
    DatabaseDies("F14", "PostgreSQL killed and started", DISTRIBUTED),
    BadServerNetwork(
        "F15", "connection cut instead of the answer to COMMIT", DISTRIBUTED, before="database",
        weather=Weather(reset_answers=True, reset_on="COMMIT", share=0.2), hit="reset_answers",
    ),
)  # fmt: skip
