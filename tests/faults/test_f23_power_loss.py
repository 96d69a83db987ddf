"""F23: power loss. No 202 before the commit is synced, by the order of system calls; a hub that never syncs shows."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.processes.events import budget_line
from tests.processes.running import Hub

from . import syscalls

POSTS = 40
POSTERS = 4

SQLITE_WAL = r"/arus\.db-wal$"
POSTGRESQL_WAL = r"/pg_wal/[0-9A-F]{24}$"

TESTS = Path(__file__).resolve().parents[1]
NO_SYNC = {
    "PYTHONPATH": os.pathsep.join([str(TESTS / "proof/plants"), str(TESTS / "faults/planted")]),
    "PLANT": "no_sync",
}


async def calls_of_a_hub(folder, environment, others=lambda: ()):
    """What the front (and ``others``) asked of the kernel while POSTS messages came from POSTERS posters."""
    hub = Hub(folder, **environment)
    ids = [f"synced-{number:04d}" for number in range(POSTS)]
    try:
        await hub.start()
        key = await hub.key()

        async def post(some):
            for id in some:
                assert (await hub.post(key, budget_line(id, number=int(id[-4:]))))["status"] == "accepted"

        with syscalls.traced(folder, hub.children()["front"], *others()) as log:
            await asyncio.gather(*(post(ids[start::POSTERS]) for start in range(POSTERS)))
    finally:
        await hub.close()
    calls = syscalls.read(log.read_text(errors="replace"))
    assert syscalls.answers(calls).keys() == set(ids), "not every answer was seen: the trace proves nothing"
    return calls


async def test_sqlite_syncs_before_it_is_said(tmp_path):
    assert syscalls.unsynced(await calls_of_a_hub(tmp_path, {}), SQLITE_WAL) == set()


async def test_sqlite_without_syncs_is_caught(tmp_path):
    calls = await calls_of_a_hub(tmp_path, NO_SYNC)
    assert len(syscalls.unsynced(calls, SQLITE_WAL)) == POSTS


def backends(server):
    """The server and every process that it has forked; what it forks later is followed."""

    def found():
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
        return [server.process.pid, *map(int, children.split())]

    return found


async def test_postgresql_syncs_before_it_is_said(tmp_path, postgres_server, postgres_database):
    environment = {"ARUS_DATABASE_URL": postgres_database}
    calls = await calls_of_a_hub(tmp_path, environment, backends(postgres_server))
    assert syscalls.unsynced(calls, POSTGRESQL_WAL) == set()


async def test_postgresql_that_commits_later_is_caught(tmp_path, postgres_server, postgres_database):
    environment = {"ARUS_DATABASE_URL": postgres_database, "PGOPTIONS": "-c synchronous_commit=off"}
    calls = await calls_of_a_hub(tmp_path, environment, backends(postgres_server))
    assert len(syscalls.unsynced(calls, POSTGRESQL_WAL)) > POSTS / 2


WRITE = r'1 pwrite64(5</h/arus.db-wal>, "..a1..", 4096, 0) = 4096'
SYNC = "1 fdatasync(5</h/arus.db-wal>) = 0"
ANSWER = r'2 write(9<socket:[7]>, "HTTP/1.1 202 Accepted\r\n\r\n{\"id\":\"a1\",\"status\":\"accepted\"}", 60) = 60'


@pytest.mark.parametrize(
    ("lines", "caught"),
    [
        pytest.param([WRITE, SYNC, ANSWER], False, id="written, synced, said"),
        pytest.param([WRITE, ANSWER, SYNC], True, id="said before the sync"),
        pytest.param([SYNC, WRITE, ANSWER], True, id="synced before the bytes"),
        pytest.param([ANSWER, WRITE, SYNC], True, id="said first"),
        pytest.param([SYNC, ANSWER], True, id="never written"),
        pytest.param([WRITE, SYNC.replace("-wal", "-shm"), ANSWER], True, id="another file synced"),
        pytest.param([WRITE, SYNC.replace("= 0", "= -1 EIO (Input/output error)"), ANSWER], True, id="sync failed"),
        pytest.param([WRITE, SYNC.replace(") = 0", " <unfinished ...>"), ANSWER], True, id="said during the sync"),
        pytest.param(
            [WRITE, SYNC.replace(") = 0", " <unfinished ...>"), "1 <... fdatasync resumed>) = 0", ANSWER],
            False,
            id="said once the sync is over",
        ),
        pytest.param(
            [
                SYNC.replace(") = 0", " <unfinished ...>"),
                WRITE.replace("1 ", "3 ", 1),
                "1 <... fdatasync resumed>) = 0",
                ANSWER,
            ],
            True,
            id="a sync that began before the bytes",
        ),
    ],
)
def test_the_order_is_read_right(lines, caught):
    calls = syscalls.read("\n".join(lines))
    assert syscalls.answers(calls).keys() == {"a1"}
    assert syscalls.unsynced(calls, SQLITE_WAL) == ({"a1"} if caught else set())
