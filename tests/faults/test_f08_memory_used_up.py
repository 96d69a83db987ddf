"""F08: the kernel kills the front or the engine for want of memory: it is back by itself, once for each cause."""

import asyncio
import contextlib
import json
import shlex
import sys

import aiohttp
import pytest

from tests.processes.events import budget_line
from tests.processes.receiver import Receiver
from tests.processes.running import ARUS, Hub, until

from .memory import first_to_go, small_room

MEBIBYTE = 2**20
BULK = 60 * MEBIBYTE
"""Bytes of one request: the largest that the front takes is 64 MiB."""

HOG = "room = []\nwhile True: room.append(bytearray(2**20))"

pytestmark = [pytest.mark.prove, pytest.mark.timeout(170)]


@pytest.fixture
async def place(tmp_path):
    """A hub in a small room with a subscriber, ready; gives both, the room and a key to post with."""
    with small_room() as room:
        async with contextlib.AsyncExitStack() as stack:
            hub, receiver = Hub(tmp_path), Receiver()
            stack.push_async_callback(hub.close)
            await receiver.start()
            stack.push_async_callback(receiver.close)
            await hub.start(program=("sh", "-c", f"{room.enter}; exec {shlex.quote(ARUS)} serve --port 0"))
            await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
            yield hub, receiver, room, await hub.key()


async def arrives(hub, receiver, key, id, number):
    await hub.post(key, budget_line(id, number))
    await until(lambda: id in receiver.ids, hub.said)


async def test_a_huge_request_kills_the_front_and_keeps_nobody_else_from_posting(place):
    hub, receiver, room, key = place
    before = hub.children()
    first_to_go(before["front"])
    room.limit(room.used() + 40 * MEBIBYTE)
    body = json.dumps(budget_line("huge", 1)).encode().ljust(BULK, b"\n")
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    with pytest.raises(aiohttp.ClientError):
        async with hub.session.post(f"{hub.url}/v1/messages", headers=headers, data=body) as answer:
            assert answer.status is None, "the front had enough memory"
    await until(lambda: hub.children().get("front", before["front"]) != before["front"], hub.said)
    await until(hub.ready, hub.said)
    assert "front_process ended (-9); started again" in hub.said()
    assert room.kills() == 1
    for number in range(5):
        await arrives(hub, receiver, key, f"after-{number}", 10 + number)
    assert (room.kills(), hub.children()["engine"]) == (1, before["engine"])
    assert "huge" not in receiver.ids


async def test_an_engine_killed_with_deliveries_under_way_sends_them_again_with_their_keys(place):
    hub, receiver, room, key = place
    before = hub.children()
    receiver.free.clear()
    ids = [f"under-way-{number}" for number in range(5)]
    for number, id in enumerate(ids):
        await hub.post(key, budget_line(id, number))
    await until(lambda: set(receiver.ids) == set(ids), hub.said)
    first_to_go(before["engine"])
    room.limit(room.used() + 40 * MEBIBYTE)
    hog = await asyncio.create_subprocess_exec(
        "sh", "-c", f"{room.enter}; exec {shlex.quote(sys.executable)} -c {shlex.quote(HOG)}"
    )
    try:
        await until(lambda: hub.children().get("engine", before["engine"]) != before["engine"], hub.said)
    finally:
        with contextlib.suppress(ProcessLookupError):
            hog.kill()
        await hog.wait()
    assert room.kills() >= 1
    room.lift()
    receiver.free.set()
    await until(lambda: all(receiver.ids.count(id) >= 2 for id in ids), hub.said)
    for id in ids:
        assert len({one.key for one in receiver.received if one.event["id"] == id}) == 1
    await arrives(hub, receiver, key, "after", 50)
    assert "engine_process ended (-9); started again" in hub.said()
    assert hub.process.returncode is None
