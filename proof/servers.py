"""Private servers for a distributed run: PostgreSQL and RabbitMQ in temporary folders, on free ports of 127.0.0.1."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import kombu

START_SECONDS = 90.0
END_SECONDS = 30.0
PAUSE_SECONDS = 0.05


class ServerMissing(Exception):
    """A server's program is not installed here; the text says which and what to do."""


class ServerFailed(Exception):
    """A server does not start; the text ends with what it said last."""


def program(name: str, places: Sequence[str], package: str) -> Path:
    """A server's program: the last match of the glob patterns, else from PATH. Raises ServerMissing."""
    in_path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    found = [match for place in places for match in sorted(Path("/").glob(place.lstrip("/")))]
    if not found and in_path is None:
        raise ServerMissing(f"{name} is not installed here: install {package} (or run `make services`)")
    return found[-1] if found else Path(in_path or name).resolve()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(ABC):
    """Started in a session of its own, as a user that the server accepts: neither runs as root."""

    package: str

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"arus-proof-{self.package}-"))
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
            account = accounts.get(self.account) or accounts["nobody"]
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self.port = free_port()
        self._log = self.folder / "server.log"
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    @abstractmethod
    def account(self) -> str:
        """The user of the package."""

    @abstractmethod
    def _commands(self) -> tuple[list[list[str]], Mapping[str, str]]:
        """What to start, in order, with which environment."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it takes work."""

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self._remove()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._remove()

    async def start(self) -> None:
        """Start it at its port and wait until it answers. Raises ServerFailed."""
        await asyncio.to_thread(self._begin)
        until = time.monotonic() + START_SECONDS
        while not await asyncio.to_thread(self._answers):
            if time.monotonic() > until or any(one.poll() is not None for one in self._processes):
                raise ServerFailed(f"{self.package} does not start:\n{self._log.read_text(errors='replace')[-2000:]}")
            await asyncio.sleep(PAUSE_SECONDS)

    def _begin(self) -> None:
        commands, environment = self._commands()
        with self._log.open("ab") as log:
            self._processes = [
                subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603 - the servers' own programs
                    [*_bound(), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd="/",
                    env={**environment}, start_new_session=True, **self._as,
                )
                for command in commands
            ]  # fmt: skip

    async def kill(self) -> list[int]:
        """End it as a crash would, with all that belongs to it; answers the process ids."""
        pids = [process.pid for process in self._processes]
        for process in reversed(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.wait, END_SECONDS)
        self._processes = []
        return pids

    async def _remove(self) -> None:
        """Nobody will read its data: it is killed, and its folder taken away."""
        await self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _bound() -> list[str]:
    """A server ends with the proof, even when that is killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM"] if setpriv else []


class Database(_Server):
    """PostgreSQL with fsync on: what it says is committed survives ``kill``."""

    package = "postgresql"

    def __init__(self) -> None:
        initdb = program("initdb", ["/usr/lib/postgresql/*/bin/initdb"], self.package)
        self._binary = initdb.resolve().parent / "postgres"
        super().__init__()
        subprocess.run(  # noqa: S603
            [
                initdb, "--pgdata", self.folder / "data", "--username", "arus", "--auth=trust", "--encoding=UTF8",
                "--locale=C", "--no-sync",
            ],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as,  # type: ignore[call-overload]
        )  # fmt: skip

    @property
    def account(self) -> str:
        return "postgres"

    def url(self, port: int) -> str:
        """The database's URL by way of ``port``: its own, or a proxy's before it."""
        return f"postgresql://arus@127.0.0.1:{port}/postgres"

    def _commands(self) -> tuple[list[list[str]], Mapping[str, str]]:
        options = [
            "-D", str(self.folder / "data"), "-p", str(self.port), "-h", "127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "max_connections=200", "-c", "timezone=UTC",
        ]  # fmt: skip
        return [[str(self._binary), *options]], os.environ

    def _answers(self) -> bool:
        """A start-up packet for a database that exists is answered by a request or a grant, not by an error."""
        body = b"\0\3\0\0user\0arus\0database\0postgres\0\0"
        return _talk(self.port, (len(body) + 4).to_bytes(4) + body)[:1] == b"R"


class Broker(_Server):
    """RabbitMQ with its own port mapper, node name and folders."""

    package = "rabbitmq-server"

    def __init__(self) -> None:
        # Debian's command in PATH is a wrapper that insists on the system's folders and user.
        places = [
            "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
            "/usr/lib/rabbitmq/bin/rabbitmq-server",
        ]
        self._binary = program("rabbitmq-server", places, self.package)
        self._mapper = program("epmd", ["/usr/lib/erlang/bin/epmd"], "erlang-base")
        super().__init__()
        self._node = f"arus-{uuid.uuid4().hex[:8]}@localhost"
        self._environment = self._settings()

    @property
    def account(self) -> str:
        return "rabbitmq"

    def url(self, port: int) -> str:
        """The broker's URL by way of ``port``: its own, or a proxy's before it."""
        return f"amqp://guest:guest@127.0.0.1:{port}//"

    def forget(self) -> None:
        """Take its data away, as a lost disk would. It must not run."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    async def control(self, *words: str) -> None:
        """Its own tool, ``rabbitmqctl``. Raises ServerFailed."""
        done = await asyncio.to_thread(self._controlled, words)
        if done.returncode != 0:
            raise ServerFailed(f"rabbitmqctl {words[0]} failed:\n{done.stdout.decode(errors='replace')[-1000:]}")

    def _controlled(self, words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # noqa: S603
            [self._binary.with_name("rabbitmqctl"), *words], env=self._environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd="/", check=False, timeout=60, **self._as,
        )  # fmt: skip

    def put(self, queue: str, messages: Sequence[tuple[str, bytes]]) -> None:
        """Messages of any (content type, body) into a queue."""
        with kombu.Connection(self.url(self.port), connect_timeout=10) as connection:
            producer = connection.Producer(routing_key=queue)
            for content_type, body in messages:
                producer.publish(body, content_type=content_type, content_encoding="binary", serializer=None)

    def _commands(self) -> tuple[list[list[str]], Mapping[str, str]]:
        return [[str(self._mapper)], [str(self._binary)]], self._environment

    def _settings(self) -> dict[str, str]:
        return {
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "absent-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "absent"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "absent-advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            # Makes the start script become the Erlang machine, so that its process id is the broker's.
            "RUNNING_UNDER_SYSTEMD": "1",
            # The port mapper is ours and ends with the run; Erlang's own would stay behind as a daemon.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _answers(self) -> bool:
        """To the protocol's header a broker that is up answers with a method frame."""
        return _talk(self.port, b"AMQP\0\0\x09\x01")[:1] == b"\x01"


def _talk(port: int, words: bytes) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(words)
            return connection.recv(64)
    except OSError:
        return b""
