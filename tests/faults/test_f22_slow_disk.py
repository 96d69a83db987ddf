"""F22: every sync takes seconds: posters are asked to wait, the front's memory stays, and nothing accepted is lost."""

import asyncio
import contextlib
import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.processes.events import budget_line
from tests.processes.running import Hub, until

from .syncs import Syncs

SLOW = 1500
"""Milliseconds for each sync."""

MAX_WAITING = 16
POSTERS = 48
OFFERS = 1000
BODY = 400_000
"""Bytes of each event."""

MAY_GROW = 150 * 2**20
"""Bytes: what all posters have in their hands at once is 20 MB, what they offer in all twenty times as much."""

pytestmark = [pytest.mark.prove, pytest.mark.timeout(170)]


def resident(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def post_on(hub, key):
    """Everybody posts one after the other, whatever the answer, OFFERS in all; gives answers, accepted ids, peak."""
    answers, accepted, front = Counter(), [], hub.children()["front"]
    peak = resident(front)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}

    async def poster(own):
        nonlocal peak
        number = own
        while answers.total() < OFFERS:
            number += POSTERS
            body = json.dumps(budget_line(f"w{number}", number)).ljust(BODY)
            async with hub.session.post(f"{hub.url}/v1/messages", headers=headers, data=body) as answer:
                answers[answer.status] += 1
                if answer.status == 202:
                    accepted.append(f"w{number}")
                else:
                    assert int(answer.headers["Retry-After"]) >= 1
                await answer.read()
            peak = max(peak, resident(front))

    await asyncio.gather(*(poster(own) for own in range(POSTERS)))
    return answers, accepted, peak


async def test_a_slow_disk_makes_posters_wait_and_not_the_memory_grow(tmp_path):
    syncs = Syncs(tmp_path)
    hub = Hub(tmp_path, ARUS_MAX_WAITING=str(MAX_WAITING), **syncs.environment)
    try:
        await hub.start()
        key = await hub.key()
        before = hub.children()
        started = resident(before["front"])
        syncs.control.delay_ms = SLOW
        answers, accepted, peak = await post_on(hub, key)
        syncs.control.delay_ms = 0
        print(f"{dict(answers)}; front {started} bytes, at most {peak}")  # noqa: T201 - the figures
        offered = BODY * answers.total()
        assert answers.keys() == {202, 429}
        assert answers[429] > OFFERS / 4, "the disk was not slow, or too much was taken on"
        assert peak - started < MAY_GROW < offered, (peak - started, offered)
        assert hub.children() == before
        await until(hub.ready, hub.said)
        with contextlib.closing(sqlite3.connect(f"file:{hub.home}/arus.db?mode=ro", uri=True)) as store:
            stored = {id for (id,) in store.execute("SELECT id FROM messages")}
        assert stored == set(accepted)
    finally:
        await hub.close()
