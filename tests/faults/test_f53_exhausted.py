"""F53: no file descriptor, no connection to the database is left: come again, nothing lost, then all is well."""

import asyncio
import contextlib
import resource
from pathlib import Path

import aiohttp
import psycopg
import pytest

from tests.processes.events import budget_line
from tests.processes.running import Hub, until
from tests.services.postgres import PostgresServer

from .town import town

CALLERS = 150
ROOM = 30
"""Descriptors that the front may have beyond those that it needs at rest."""


def _descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def _post(hub, key, id, number):
    """Post over a connection of its own, which stays open a while after; answers the status, 0 where none came."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as own:
        try:
            async with own.post(f"{hub.url}/v1/messages", headers=headers, json=budget_line(id, number)) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        await asyncio.sleep(1)  # the fault itself: the connection is held
        return status


async def test_a_front_without_descriptors_loses_nothing_and_recovers(tmp_path):
    hub = Hub(tmp_path)
    async with town(hub) as (receiver, key):
        await hub.post(key, budget_line("before"))
        front = hub.children()["front"]
        limit = _descriptors(front) + ROOM
        resource.prlimit(front, resource.RLIMIT_NOFILE, (limit, limit))
        posts = [asyncio.create_task(_post(hub, key, f"m{number}", number)) for number in range(CALLERS)]
        await until(lambda: _descriptors(front) >= limit, "the front has no descriptor left")
        statuses = await asyncio.gather(*posts)
        assert set(statuses) <= {202, 503, 429, 0}
        assert not all(status == 202 for status in statuses), "nobody met the limit"
        # Nobody else comes: it is well again, and the same process.
        await until(hub.ready, hub.said)
        assert hub.children()["front"] == front
        for number, status in enumerate(statuses):  # who got no answer says it again
            if status != 202:
                await hub.post(key, budget_line(f"m{number}", number))
        await until(lambda: {f"m{number}" for number in range(CALLERS)} <= set(receiver.ids), hub.said)
        assert len({one.key for one in receiver.received}) == CALLERS + 1, "an effect twice"


@pytest.fixture
def postgres():
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _take_all(server, stack):
    """Take every connection that the database has to give, the hub's own included."""
    taken = []
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                taken.append(stack.enter_context(server.connect()))
        pids = [one.info.backend_pid for one in taken]
        others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> ALL(%s)"
        (ended,) = taken[0].execute(f"SELECT count(pg_terminate_backend(pid)) {others}", (pids,)).fetchone()
        if not ended:
            return


@pytest.mark.prove
async def test_a_database_without_connections_delays_and_loses_nothing(tmp_path, postgres):
    hub = Hub(tmp_path, ARUS_DATABASE_URL=postgres.url())
    async with town(hub) as (receiver, key):
        await hub.post(key, budget_line("before"))
        await until(lambda: receiver.ids == ["before"], hub.said)
        with contextlib.ExitStack() as stack:
            await asyncio.to_thread(_take_all, postgres, stack)
            posts = [asyncio.create_task(_post(hub, key, f"m{number}", number)) for number in range(10)]
            statuses = await asyncio.gather(*posts)
            assert set(statuses) <= {503, 0}, "the hub still had a connection"
            assert not await hub.ready()
        await until(hub.ready, hub.said)
        for number in range(10):  # a repetition, where the first one was stored after all
            await hub.post(key, budget_line(f"m{number}", number))
        await until(lambda: {f"m{number}" for number in range(10)} <= set(receiver.ids), hub.said)
        assert len({one.key for one in receiver.received}) == 11
        assert "Traceback" not in hub.said()
