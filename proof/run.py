"""One run of the proof: a private hub under load, faults, and the five logs that the checker judges."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from .account import account, at_rest
from .checker import Verdict, check
from .embedded import Embedded
from .fleet import Fleet
from .gateway import Gateway
from .histories import read, repeated
from .hub import Hub, HubFailed
from .journal import Journal
from .load import SYSTEM, TYPE, Load
from .plan import Plan
from .poster import Poster
from .progress import Progress
from .receiver import Receiver
from .scene import Scene, Servers
from .schedule import FIRST, LAST, Strike, schedule
from .servers import Broker, Database
from .signs import Signs

SUBSCRIBER = "bukti-arus"
"""The external system that subscribes."""

LOOK_SECONDS = 0.02

AFTER = 2
"""Times the checker's least number that a run by the clock still posts when its time is over."""

Say = Callable[[str], None]


async def run(
    plan: Plan, folder: Path, environment: Mapping[str, str] | None = None, say: Say = lambda _line: None
) -> Verdict:
    """Run ``plan`` in the empty ``folder`` and judge its logs, which stay there.

    ``environment`` is given to the hub's processes; ``say`` hears of each step. Raises UnknownRow, ServerMissing, and,
    alone or in an ExceptionGroup, HubFailed where the hub does not start, does not come back, or stands still for
    ``plan.patience`` seconds.
    """
    strikes = schedule(plan.strikes, plan.rounds, plan.seed)
    async with AsyncExitStack() as stack:
        scene = await _scene(plan, folder, {**plan.environment, **(environment or {})}, stack)
        reader_key = await _subscribe(scene)
        poster = Poster(scene.hub.urls, scene.poster_key, scene.load, scene.client, plan.manner, scene.progress.room)
        say(f"running in {folder}: {len(strikes)} faults")
        await _under_load(plan, scene, poster, strikes, say)
        final = await account(scene.hub, reader_key, await asyncio.to_thread(repeated, folder), plan.patience)
    _write(folder / "final.json", final)
    say("judging")
    return await asyncio.to_thread(lambda: check(read(folder), plan.least))


async def _scene(plan: Plan, folder: Path, environment: Mapping[str, str], stack: AsyncExitStack) -> Scene:
    """Everything started, and ended by ``stack``."""
    receiver = await stack.enter_async_context(Receiver(folder / "dest.jsonl", plan.mood))
    gate = await stack.enter_async_context(_gateway(receiver.url))
    client = await stack.enter_async_context(Journal(folder / "client.jsonl"))
    log = await stack.enter_async_context(Journal(folder / "faults.jsonl"))
    servers: Servers | None = None
    hub: Hub = Embedded(folder / "hub", environment)
    if plan.distributed:
        servers = await _servers(stack)
        hub = Fleet(
            folder / "hub",
            {
                **environment,
                "ARUS_DATABASE_URL": servers.database.url(servers.database_gate.port),
                "ARUS_BROKER_URL": servers.broker.url(servers.broker_gate.port),
                "ARUS_LEAVE_SECONDS": "0",  # the poster asks no /readyz: it would only meet the same end later
            },
        )
    await stack.enter_async_context(hub)
    seen = await stack.enter_async_context(Journal(folder / "signs.jsonl"))
    await stack.enter_async_context(Signs(hub, seen))
    poster_key = await hub.create_key(SYSTEM, "post,read")
    schema = await hub.call("GET", f"/v1/schemas/{TYPE}", poster_key)
    load = Load(schema["examples"][0], schema["x-arus-key"], messages=plan.load, keys=plan.keys, seed=plan.seed)
    progress = Progress(plan.load, plan.seconds, plan.backlog)
    return Scene(hub, receiver, gate, progress, load, poster_key, client, log, plan.mood, plan.lease, servers)


async def _servers(stack: AsyncExitStack) -> Servers:
    database, broker = Database(), Broker()
    await asyncio.gather(stack.enter_async_context(database), stack.enter_async_context(broker))
    database_gate = await stack.enter_async_context(Gateway("127.0.0.1", database.port))
    broker_gate = await stack.enter_async_context(Gateway("127.0.0.1", broker.port))
    return Servers(database, broker, database_gate, broker_gate)


def _gateway(url: str) -> Gateway:
    place = urlsplit(url)
    return Gateway(str(place.hostname), int(place.port or 80))


async def _subscribe(scene: Scene) -> str:
    """The subscriber's key; its URL leads through the proxy."""
    key = await scene.hub.create_key(SUBSCRIBER, "read")
    wanted = {
        "types": ["budget.*"],
        "url": f"http://127.0.0.1:{scene.gate.port}/",
        "secret": secrets.token_urlsafe(32),
        "from": "now",
    }
    await scene.hub.call("POST", "/v1/subscriptions", key, wanted)
    return key


async def _under_load(plan: Plan, scene: Scene, poster: Poster, strikes: list[Strike], say: Say) -> None:
    """Post, strike, and wait until nothing moves any more."""
    progress = scene.progress
    async with asyncio.TaskGroup() as watch:
        watching = watch.create_task(_watch(progress, poster, scene, plan.patience))
        async with asyncio.TaskGroup() as group:
            posting = group.create_task(poster.run())
            await _strike(scene, strikes, say)
            if plan.seconds is not None:
                await progress.reached("acknowledged", 1.0)
                # The last fault may have outlasted the clock: enough must come after it, or it has shown nothing.
                await progress.grown("acknowledged", AFTER * plan.least)
                poster.finish()
            await posting
        progress.posting = False
        say("waiting until all is delivered")
        await at_rest(scene.hub, plan.patience)
        watching.cancel()


async def _watch(progress: Progress, poster: Poster, scene: Scene, patience: float) -> None:
    while True:
        await progress.note(poster.acknowledged, await scene.receiver.applied())
        if progress.posting and progress.idle > patience:
            raise HubFailed(f"nothing was acknowledged or applied for {patience:g} s{scene.hub.last_words()}")
        await asyncio.sleep(LOOK_SECONDS)


async def _strike(scene: Scene, strikes: list[Strike], say: Say) -> None:
    began = time.monotonic()
    for number, strike in enumerate(strikes):
        following = strikes[number + 1].share if number + 1 < len(strikes) else LAST
        scene.progress.ceiling = max(following, strike.share + 0.05)
        await scene.progress.reached("applied", FIRST)
        where = await scene.progress.reached(strike.fault.meter, strike.share)
        say(f"{time.monotonic() - began:7.1f} s, {where} {strike.fault.meter}: {strike.fault.name}")
        await strike.fault.strike(scene)
    scene.progress.ceiling = 1.0


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
