"""F18, PostgreSQL: the disk of its tables is full: the same refusal, and it goes on once there is room."""

import uuid

import pytest

from tests.processes.events import budget_line
from tests.processes.receiver import Receiver
from tests.processes.running import Hub, until

from .small_disk import MEBIBYTE, small_disk
from .test_f18_disk_full import refused

pytestmark = [pytest.mark.prove, pytest.mark.timeout(170)]


@pytest.fixture
def disk(postgres_server, postgres_database, tmp_path):
    """A small disk with all tables of the database; its log stays where it was."""
    name, place = f"small_{uuid.uuid4().hex[:8]}", postgres_server.folder / uuid.uuid4().hex
    with small_disk(tmp_path / "disk.img", place, 48 * MEBIBYTE) as disk:
        tables = place / "tables"
        tables.mkdir()
        for folder in (place, tables):
            postgres_server.account.own(folder)
        database = postgres_database.rpartition("/")[2].partition("?")[0]
        with postgres_server.connect() as connection:
            connection.autocommit = True
            connection.execute(f"CREATE TABLESPACE {name} LOCATION '{tables}'")
            connection.execute(f"ALTER DATABASE {database} SET TABLESPACE {name}")
        try:
            yield disk
        finally:
            with postgres_server.connect() as connection:
                connection.autocommit = True
                connection.execute(f"ALTER DATABASE {database} SET TABLESPACE pg_default")
                connection.execute(f"DROP TABLESPACE {name}")


async def test_a_full_disk_of_postgresql_is_told_and_nothing_accepted_is_lost(tmp_path, disk, postgres_database):
    hub, receiver = Hub(tmp_path, ARUS_DATABASE_URL=postgres_database), Receiver()
    try:
        await hub.start()
        await receiver.start()
        await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
        key, before = await hub.key(), hub.children()
        disk.fill()
        accepted, problem = [], None
        while problem is None:
            id = f"m{len(accepted)}"
            answer = await refused(hub, key, budget_line(id, len(accepted) % 9000))
            if answer is None:
                accepted.append(id)
            else:
                problem, headers = answer
        assert (problem["status"], problem["type"].rpartition("/")[2]) == (503, "disk-full")
        assert int(headers["Retry-After"]) >= 1
        disk.make_room()
        assert await refused(hub, key, budget_line("after", 9500)) is None
        await until(lambda: set(receiver.ids) >= {*accepted, "after"}, hub.said)
        assert set(receiver.ids) == {*accepted, "after"}
        assert hub.children() == before
    finally:
        await hub.close()
        await receiver.close()
