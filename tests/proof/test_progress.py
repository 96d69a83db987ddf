"""The run's progress: room while deliveries keep up and the next fault is not due, and never a wait without an end."""

import asyncio

import pytest

from proof import progress as module
from proof.progress import Progress


async def test_there_is_room_until_the_backlog_or_the_ceiling_is_reached():
    progress = Progress(messages=1000, seconds=None, backlog=100)
    await progress.note(50, 0)
    assert progress.room.is_set()
    await progress.note(150, 0)
    assert not progress.room.is_set()
    await progress.note(150, 120)
    assert progress.room.is_set()
    progress.ceiling = 0.15
    await progress.note(150, 120)
    assert not progress.room.is_set()


async def test_who_waits_for_growth_gets_room_for_it_at_the_ceiling():
    progress = Progress(messages=1000, seconds=None, backlog=100)
    progress.ceiling = 0.15
    await progress.note(190, 190)
    assert not progress.room.is_set()
    waiting = asyncio.create_task(progress.grown("acknowledged", 20))
    await asyncio.sleep(0)
    await progress.note(190, 190)
    assert progress.room.is_set()
    await progress.note(210, 190)
    await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize(("meter", "counts"), [("acknowledged", (300, 0)), ("applied", (300, 300))])
async def test_a_share_is_reached_by_its_own_meter(meter, counts):
    progress = Progress(messages=1000, seconds=None, backlog=1000)
    waiting = asyncio.create_task(progress.reached(meter, 0.3))
    await progress.note(299, 0)
    await asyncio.sleep(0)
    assert not waiting.done()
    await progress.note(*counts)
    assert await asyncio.wait_for(waiting, 5) == 300


async def test_a_fault_that_waits_for_work_gets_some_at_the_ceiling(monkeypatch):
    progress = Progress(messages=1000, seconds=None, backlog=100)
    progress.ceiling = 0.15
    await progress.note(190, 190)
    monkeypatch.setattr(module, "LULL_SECONDS", -1.0)
    await progress.note(190, 190)
    assert not progress.room.is_set(), "nobody waits for work"
    with progress.feeding():
        await progress.note(190, 190)
        assert progress.room.is_set()
    await progress.note(191, 190)
    assert not progress.room.is_set()


async def test_what_faults_post_themselves_is_not_given_up(monkeypatch):
    monkeypatch.setattr(module, "STALL_SECONDS", -1.0)
    progress = Progress(messages=1000, seconds=None, backlog=100)
    waiting = asyncio.create_task(progress.reached("applied", 0.1))
    await progress.note(97, 100)
    async with asyncio.timeout(5):
        assert await waiting == 100
