"""F21: a sync fails with EIO: no 202 after it from the process that met it, which never syncs that log again."""

import asyncio
import contextlib
import functools
import sqlite3
from collections import Counter

import aiohttp
import pytest

from tests.processes.events import budget_line
from tests.processes.receiver import Receiver
from tests.processes.running import Hub, until

from .syncs import Syncs

POSTERS = 4
POSTS = 60
SYNCED_BEFORE = 12

pytestmark = pytest.mark.timeout(120)


async def post_all(hub, key):
    """Post everything, what was not accepted again; gives the answers by the status that each was."""
    answers = Counter()

    async def post(number):
        try:
            answer = await hub.call(
                "POST", "/v1/messages", key, budget_line(f"s{number}", number + 1), (200, 202, 503),
                "application/cloudevents+json",
            )  # fmt: skip
        except aiohttp.ClientError:
            answer = {"status": "connection lost"}
        answers[answer["status"]] += 1
        return answer["status"] in {"accepted", "duplicate"}

    async def some(start):
        for number in range(start, POSTS, POSTERS):
            await until(functools.partial(post, number), hub.said)

    await asyncio.gather(*(some(start) for start in range(POSTERS)))
    return answers


def states(hub):
    """The deliveries to the subscription, counted by their state, and whether one is blamed for a death."""
    with contextlib.closing(sqlite3.connect(f"file:{hub.home}/arus.db?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT state, alone, deaths FROM deliveries WHERE destination LIKE 'sub:%'").fetchall()
    return Counter(state for state, *_ in rows), any(alone or deaths for _, alone, deaths in rows)


@pytest.mark.parametrize("role", ["front", pytest.param("engine", marks=pytest.mark.prove)])
async def test_whoever_meets_a_failed_sync_writes_no_more_and_comes_back_anew(tmp_path, role):
    syncs = Syncs(tmp_path)
    hub, receiver = Hub(tmp_path, **syncs.environment), Receiver()
    try:
        await hub.start()
        await receiver.start()
        await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
        key = await hub.key()
        before = hub.children()
        syncs.fail_one(before[role], after=SYNCED_BEFORE)
        answers = await post_all(hub, key)
        await until(lambda: syncs.control.hit, "the sync to fail")
        assert syncs.control.hit == before[role]
        if role == "front":
            assert answers[503] + answers["connection lost"], "nobody noticed: the sync was answered for"
        assert answers.keys() <= {"accepted", "duplicate", 503, "connection lost"}

        await until(lambda: f"{role}_process ended" in hub.said() and len(hub.children()) == 2, hub.said)
        assert syncs.control.again == 0, "the process went on with a log that the disk had failed"
        other = "engine" if role == "front" else "front"
        assert (hub.children()[role] != before[role], hub.children()[other]) == (True, before[other])

        await until(lambda: states(hub) == ({"delivered": POSTS}, False), lambda: (states(hub), hub.said()))
        assert {one.event["id"] for one in receiver.received} == {f"s{number}" for number in range(POSTS)}
        assert len({one.key for one in receiver.received}) == POSTS, "an effect was had twice"
    finally:
        await hub.close()
        await receiver.close()
