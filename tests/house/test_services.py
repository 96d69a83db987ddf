"""The private servers: they answer, keep what was committed, differ per test, and their absence is told."""

import os
import shutil
import socket
from pathlib import Path

import kombu
import psycopg
import pytest

from tests.services import free_port, wait_until, wait_until_async
from tests.services.postgres import PostgresServer
from tests.services.programs import program
from tests.services.rabbitmq import RabbitMQServer


def _names(url):
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE tablename ~ 'house'")}


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_a_database_of_its_own(postgres_database, turn):
    assert _names(postgres_database) == set()
    with psycopg.connect(postgres_database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE house (id int)")
    assert _names(postgres_database) == {"house"}


def test_committed_rows_survive_a_killed_postgres():
    server = PostgresServer()
    try:
        server.start()
        with server.connect() as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            connection.execute("CREATE TABLE house AS SELECT 7 AS seven")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            server.connect()
        server.start()
        with server.connect() as connection:
            assert connection.execute("SELECT seven FROM house").fetchone() == (7,)
    finally:
        server.remove()
    assert not server.folder.exists()


def test_rabbitmq_carries_a_message_through_a_quorum_queue(rabbitmq_url):
    with kombu.Connection(rabbitmq_url) as connection:
        queue = connection.SimpleQueue("house", queue_args={"x-queue-type": "quorum"})
        queue.put({"due": "e-project"})
        message = queue.get(timeout=10)
        message.ack()
        assert message.payload == {"due": "e-project"}


def test_rabbitmq_is_killed_without_a_trace_and_comes_back_on_its_port():
    server = RabbitMQServer()
    try:
        server.start()
        port, pids = server.port, [process.pid for process in server.processes]
        server.kill()
        assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port))
        server.start()
        assert server.port == port
        server.stop()
        assert "stopped" in server.log.read_text(errors="replace")
    finally:
        server.remove()
    assert not server.folder.exists()


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_server_skips_here_and_fails_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="make services"):
        program("no-such-server", package="nothing")


def test_a_program_is_found_in_the_places_beside_path(tmp_path, monkeypatch):
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
        shutil.copy(shutil.which("true"), tmp_path / folder / "serverd")
    monkeypatch.setenv("PATH", os.defpath)
    assert program("serverd", places=[f"{tmp_path}/*/serverd"], package="x") == tmp_path / "2" / "serverd"


def test_waiting_gives_the_answer_or_tells_what_did_not_come():
    answers = iter([0, None, "here"])
    assert wait_until(lambda: next(answers)) == "here"
    with pytest.raises(TimeoutError, match=r"the flood: not so after 0\.02 s; last answer \[\]"):
        wait_until(list, timeout=0.02, what="the flood")


async def test_waiting_takes_coroutines_and_plain_functions():
    answers = iter([False, True])

    async def condition():
        return next(answers)

    assert await wait_until_async(condition)
    assert await wait_until_async(lambda: 5) == 5
    with pytest.raises(TimeoutError, match="not so after"):
        await wait_until_async(lambda: 0, timeout=0.02)


def test_free_ports_differ():
    assert len({free_port() for _ in range(20)}) > 1
