"""One run of the proof: a private hub under load, faults, and the four logs that the checker judges."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from . import kills
from .account import account, at_rest
from .checker import Verdict, check
from .destination import Mood
from .histories import read
from .hub import Hub, HubFailed
from .journal import Journal
from .kills import Kill, Meter
from .load import SYSTEM, TYPE, Load
from .poster import Manner, Poster
from .receiver import Receiver
from .rules import LEAST

SUBSCRIBER = "bukti-arus"
"""The external system that subscribes."""

LOOK_SECONDS = 0.02

STALL_SECONDS = 10.0
"""When nothing has moved for so long, what is missing may be lost and is waited for no longer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. ``least`` is the checker's measure for a run that shows something; ``patience`` in seconds."""

    messages: int = 20_000
    keys: int = 500
    kills: int = 20
    seed: int = 1
    mood: Mood = field(default_factory=Mood)
    manner: Manner = field(default_factory=Manner)
    least: int = LEAST
    patience: float = 120.0

    @property
    def backlog(self) -> int:
        """How far the deliveries may fall behind before nothing new is posted."""
        return max(self.messages // 20, self.manner.batch)


class Progress:
    """How far the load has come, for those who wait for a part of it."""

    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self._moved_at = time.monotonic()
        self._given_up = 0
        self._news = asyncio.Condition()
        self._counts: dict[Meter, int] = {"acknowledged": 0, "applied": 0}
        self.posting = True
        self.room = asyncio.Event()

    async def note(self, acknowledged: int, applied: int) -> None:
        """Take the present counts."""
        if (acknowledged, applied) != (self._counts["acknowledged"], self._counts["applied"]):
            self._moved_at = time.monotonic()
        self._counts = {"acknowledged": acknowledged, "applied": applied}
        if self._stalled():
            self._given_up = acknowledged - applied
        if acknowledged - applied - self._given_up < self._backlog:
            self.room.set()
        else:
            self.room.clear()
        async with self._news:
            self._news.notify_all()

    async def reached(self, meter: Meter, count: int) -> int:
        """Wait until the meter is there, counting as applied what was given up; answers where it is."""
        async with self._news:
            await self._news.wait_for(lambda: self._so_far(meter) >= count)
            return self._counts[meter]

    def _so_far(self, meter: Meter) -> int:
        return self._counts[meter] + (self._given_up if meter == "applied" else 0)

    @property
    def idle(self) -> float:
        """Seconds since anything moved."""
        return time.monotonic() - self._moved_at

    def _stalled(self) -> bool:
        return self.idle > STALL_SECONDS


async def run(plan: Plan, folder: Path, environment: Mapping[str, str] | None = None) -> Verdict:
    """Run ``plan`` in the empty ``folder`` and judge its logs, which stay there.

    ``environment`` is given to the hub's processes. Raises HubFailed, alone or in an ExceptionGroup, where the hub
    does not start, does not come back, or stands still for ``plan.patience`` seconds.
    """
    async with (
        Receiver(folder / "dest.jsonl", plan.mood) as receiver,
        Journal(folder / "client.jsonl") as client,
        Journal(folder / "faults.jsonl") as faults,
        Hub(folder / "hub", environment) as hub,
    ):
        poster_key, reader_key = await asyncio.gather(
            hub.create_key(SYSTEM, "post"), hub.create_key(SUBSCRIBER, "read")
        )
        await hub.call(
            "POST",
            "/v1/subscriptions",
            reader_key,
            {"types": ["budget.*"], "url": receiver.url, "secret": secrets.token_urlsafe(32), "from": "now"},
        )
        load = await _load(hub, reader_key, plan)
        progress = Progress(plan.backlog)
        poster = Poster(hub.url, poster_key, load, client, plan.manner, progress.room)
        async with asyncio.TaskGroup() as watch:
            watching = watch.create_task(_watch(progress, poster, receiver, hub, plan.patience))
            async with asyncio.TaskGroup() as group:
                group.create_task(poster.run())
                group.create_task(_kill(hub, kills.schedule(plan.messages, plan.kills, plan.seed), progress, faults))
            progress.posting = False
            await at_rest(hub, plan.patience)
            watching.cancel()
        final = await account(hub, reader_key)
    _write(folder / "final.json", final)
    return check(read(folder), plan.least)


async def _load(hub: Hub, key: str, plan: Plan) -> Load:
    schema = await hub.call("GET", f"/v1/schemas/{TYPE}", key)
    return Load(schema["examples"][0], schema["x-arus-key"], messages=plan.messages, keys=plan.keys, seed=plan.seed)


async def _watch(progress: Progress, poster: Poster, receiver: Receiver, hub: Hub, patience: float) -> None:
    while True:
        await progress.note(poster.acknowledged, await receiver.applied())
        if progress.posting and progress.idle > patience:
            raise HubFailed(f"nothing was acknowledged or applied for {patience:g} s{hub.last_words()}")
        await asyncio.sleep(LOOK_SECONDS)


async def _kill(hub: Hub, schedule: list[Kill], progress: Progress, faults: Journal) -> None:
    for number, kill in enumerate(schedule):
        where = await progress.reached(kill.meter, kill.count)
        fault = {"event": "fault", "number": number, "name": f"kill -9 {kill.victim}", "at": time.monotonic()}
        pid = await hub.kill(kill.victim)
        await faults.put({**fault, "hit": True, "pid": pid, kill.meter: where, "meant": kill.count})
        await hub.back(kill.victim, pid)
        await faults.put({"event": "back", "number": number})


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
