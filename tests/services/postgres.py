"""A private PostgreSQL cluster per test run (per worker), and a fresh database per test."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.services.ports import free_port
from tests.services.programs import Account, program
from tests.services.waiting import wait_until

_USER = "arus"


class PostgresServer:
    """One cluster in a temporary folder, with fsync on: what it says is committed survives ``kill()``."""

    def __init__(self) -> None:
        initdb = program("initdb", places=["/usr/lib/postgresql/*/bin/initdb"], package="postgresql")
        # PATH may hold a link or Debian's wrapper; the server stands beside the real initdb.
        self.binary = initdb.resolve().parent / "postgres"
        self.account = Account("postgres")
        self.folder = Path(tempfile.mkdtemp(prefix="arus-postgres-"))
        self.account.own(self.folder)
        self.log = self.folder / "server.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        try:
            self.account.run(
                [
                    initdb.resolve(),
                    *("--pgdata", self.folder / "data"),
                    *("--username", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"),
                ]
            )
        except BaseException:
            self.remove()
            raise

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of a database, e.g. ``postgresql+psycopg://arus@127.0.0.1:41233/x``."""
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Open a connection in autocommit mode."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=_USER, dbname=database, autocommit=True, connect_timeout=5
        )

    def start(self) -> None:
        """Start the server and wait until it answers; a port that is taken meanwhile is replaced."""
        for _ in range(3):
            self.port = self.port or free_port()
            with self.log.open("ab") as log:
                self.process = self.account.start(
                    [
                        self.binary,
                        *("-D", self.folder / "data", "-p", str(self.port), "-h", "127.0.0.1"),
                        *("-c", "unix_socket_directories=", "-c", "max_connections=200"),
                        *("-c", "shared_buffers=64MB", "-c", "timezone=UTC"),
                    ],
                    log=log,
                    end_signal=signal.SIGINT,
                )
            wait_until(lambda: self._answers() or self._ended(), timeout=60, what="PostgreSQL answers")
            if not self._ended():
                return
            self.port = 0
        raise RuntimeError(f"PostgreSQL does not start:\n{self.log.read_text(errors='replace')}")

    def stop(self) -> None:
        """Stop it as an operator would (fast shutdown)."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill it as a crash would: the postmaster and, with its session, every backend."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """Stop it and take its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=30)
        self.process = None

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _answers(self) -> bool:
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Give the run's own PostgreSQL server. A test that kills servers makes its own ``PostgresServer()``."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """Give the SQLAlchemy URL of the server's maintenance database."""
    return postgres_server.url()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """Name the database that every test's database is cloned from.

    Override it in a folder's conftest.py (session scope) to migrate once and clone the result;
    no connection to it may stay open.
    """
    return "template1"


@pytest.fixture
def postgres_database(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """Give the SQLAlchemy URL of a fresh database, cloned from ``postgres_template``, gone after the test."""
    name = f"arus_{uuid.uuid4().hex}"
    with postgres_server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{postgres_template}"')
    yield postgres_server.url(name)
    with postgres_server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
