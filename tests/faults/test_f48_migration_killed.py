"""F48: a migration killed half way leaves the store as it was, and the next start finishes it."""

import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from bus.engine import registers, tables  # noqa: F401 - they fill METADATA
from bus.engine.database import upgrade
from bus.engine.schema import METADATA

ROOT = Path(__file__).resolve().parents[2]

KILLED = """
    import os, signal, sys
    from sqlalchemy import Engine, event
    from bus.engine.database import upgrade

    url, at = sys.argv[1], int(sys.argv[2])
    made = 0

    @event.listens_for(Engine, "after_cursor_execute")
    def count(connection, cursor, statement, *_):
        global made
        made += statement.lstrip().startswith(("CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE"))
        if made == at:
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade(url)
"""
TWICE = """
    import sys
    from bus.engine.database import upgrade
    print("ready", flush=True)
    sys.stdin.readline()
    upgrade(sys.argv[1])
"""


def _start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'arus.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"f48_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.url(name)
    with server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _tables(url):
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def _revisions(url):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    finally:
        engine.dispose()


@pytest.mark.parametrize("at", [1, 2, 20])
def test_f48_a_killed_migration_changes_nothing_and_the_next_start_finishes_it(empty_url, at):
    child = _start(KILLED, empty_url, at)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == -9, errors
    left = _tables(empty_url)
    assert left <= {"alembic_version"}, "no half of the schema stays"
    assert not left or _revisions(empty_url) == []
    upgrade(empty_url)
    assert _tables(empty_url) == {*METADATA.tables, "alembic_version"}
    assert len(_revisions(empty_url)) == 1


def test_f48_two_processes_that_start_at_once_migrate_once(empty_url):
    children = [_start(TWICE, empty_url) for _ in range(2)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
    assert _tables(empty_url) == {*METADATA.tables, "alembic_version"}
    assert len(_revisions(empty_url)) == 1
