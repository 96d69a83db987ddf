"""A private RabbitMQ broker per test run (per worker), with its own port mapper, node name and folders."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import kombu
import pytest
from kombu.exceptions import OperationalError

from tests.services.ports import free_port
from tests.services.programs import Account, program
from tests.services.waiting import wait_until

_PLACES = [
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
]


class RabbitMQServer:
    """One broker in a temporary folder. After ``kill()`` and ``start()`` it has what it had synced, no more:

    a quorum queue declared a moment before the kill can come back and answer 541 INTERNAL_ERROR.
    """

    def __init__(self) -> None:
        # Debian's command in PATH is a wrapper that insists on the system's folders and user.
        self.binary = program("rabbitmq-server", places=_PLACES, package="rabbitmq-server", prefer_places=True)
        self.port_mapper = program("epmd", places=["/usr/lib/erlang/bin/epmd"], package="erlang-base")
        self.account = Account("rabbitmq")
        self.folder = Path(tempfile.mkdtemp(prefix="arus-rabbitmq-"))
        self.account.own(self.folder)
        self.log = self.folder / "server.log"
        self.node = f"arus-{uuid.uuid4().hex[:8]}@localhost"
        self.port = 0
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """The AMQP URL, e.g. ``amqp://guest:guest@127.0.0.1:41233//``."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start the broker and wait until it answers; ports that are taken meanwhile are replaced."""
        for _ in range(3):
            self.port = self.port or free_port()
            env = self._environment(port_mapper_port=free_port())
            with self.log.open("ab") as log:
                self.processes = [
                    self.account.start(command, log=log, end_signal=signal.SIGTERM, env=env)
                    for command in ([self.port_mapper], [self.binary])
                ]
            wait_until(lambda: self._answers() or self._ended(), timeout=90, what="RabbitMQ answers")
            if not self._ended():
                return
            self.kill()
            self.port = 0
        raise RuntimeError(f"RabbitMQ does not start:\n{self.log.read_text(errors='replace')}")

    def stop(self) -> None:
        """Stop it as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it as a crash would."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """Kill it, since nobody will read its data, and take its folder away."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self, port_mapper_port: int) -> dict[str, str]:
        return {
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(port_mapper_port),
            "RABBITMQ_NODENAME": self.node,
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
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ("-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"),
        }

    def _end(self, number: signal.Signals) -> None:
        for process in reversed(self.processes):  # the port mapper last: the broker still signs off there
            if process.poll() is None:
                process.send_signal(number)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=30)
        self.processes = []

    def _ended(self) -> bool:
        return any(process.poll() is not None for process in self.processes)

    def _answers(self) -> bool:
        try:
            with kombu.Connection(self.url, connect_timeout=5) as connection:
                connection.connect()
                return True
        except (OperationalError, OSError):
            return False


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQServer]:
    """Give the run's own RabbitMQ broker. A test that kills brokers makes its own ``RabbitMQServer()``."""
    server = RabbitMQServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq_server: RabbitMQServer) -> str:
    """Give the broker's AMQP URL."""
    return rabbitmq_server.url
