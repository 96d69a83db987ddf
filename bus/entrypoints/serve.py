"""``arus serve``: one command, two processes that share the store. A dead child is started again."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .settings import Settings

LOCK_PATIENCE = 15.0
"""Seconds to wait for the processes of a hub that was just killed to be gone."""

QUICK = 2.0
"""A child that lived less than so many seconds did not really start."""

QUICK_DEATHS = 5
"""So many of them in a row mean that starting again does not help."""

GRACE = 15.0


class CannotServe(Exception):
    """The hub cannot start here; the text says why and what to do."""


@dataclass(slots=True)
class _Child:
    module: str
    descriptors: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    died: bool = False

    def start(self, environment: Mapping[str, str], kept: tuple[int, ...]) -> None:
        words = [str(one) for one in self.descriptors]
        if self.module == "engine_process":
            words.append("died" if self.died else "fresh")
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own modules
            [sys.executable, "-m", f"bus.entrypoints.{self.module}", *words],
            pass_fds=(*self.descriptors, *kept),
            env=dict(environment),
        )
        self.started_at = time.monotonic()


@dataclass(slots=True)
class Supervisor:
    """Starts the front and the engine, and starts again whichever dies."""

    settings: Settings
    children: list[_Child] = field(default_factory=list)
    stopping: bool = False

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; answers the exit code."""
        lock = _lock(self.settings.home)
        listener = _listen(self.settings)
        # The children end when this pipe does, and this process alone holds its writing end.
        lifeline, own_end = os.pipe()
        bell_out, bell_in = os.pipe()
        self.children = [
            _Child("engine_process", (lifeline, bell_out)),
            _Child("front_process", (lifeline, bell_in, listener.fileno())),
        ]
        environment = self._environment()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        for child in self.children:
            child.start(environment, (lock,))
        host, port = listener.getsockname()[:2]
        sys.stderr.write(f"arus: http://{host}:{port}\n")
        sys.stderr.flush()
        try:
            return self._watch(environment, lock)
        finally:
            self._end()
            os.close(own_end)

    def _environment(self) -> dict[str, str]:
        """The children read the same settings, whatever the command line changed."""
        return {
            **os.environ,
            "ARUS_HOME": str(self.settings.home.absolute()),
            "ARUS_HOST": self.settings.host,
            "ARUS_PORT": str(self.settings.port),
        }

    def _stop(self, _signal: int, _frame: object) -> None:
        self.stopping = True

    def _watch(self, environment: Mapping[str, str], lock: int) -> int:
        while not self.stopping:
            for child in self.children:
                if child.process is None or child.process.poll() is None:
                    continue
                quick = time.monotonic() - child.started_at < QUICK
                child.quick_deaths = child.quick_deaths + 1 if quick else 0
                if child.quick_deaths >= QUICK_DEATHS:
                    sys.stderr.write(f"arus: {child.module} does not start; see the lines above\n")
                    return 1
                child.died = True
                sys.stderr.write(f"arus: {child.module} ended ({child.process.returncode}); started again\n")
                child.start(environment, (lock,))
            time.sleep(0.05)
        return 0

    def _end(self) -> None:
        running = [child.process for child in reversed(self.children) if child.process is not None]
        for process in running:
            process.terminate()
        until = time.monotonic() + GRACE
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _lock(home: Path) -> int:
    """One hub per home. The kernel frees the lock when the last process that inherited it is gone."""
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "arus.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise CannotServe(
                    f"another hub runs in {home}: stop it, or choose another place with ARUS_HOME"
                ) from None
            time.sleep(0.05)
        else:
            return descriptor


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise CannotServe(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): choose another port with --port"
        ) from None
    listener.listen(2048)
    return listener


def serve(port: int | None = None, host: str | None = None) -> int:
    """Run the hub until it is told to stop; answers the exit code."""
    given = {name: value for name, value in {"port": port, "host": host}.items() if value is not None}
    settings = Settings(**given)  # type: ignore[arg-type]
    try:
        return Supervisor(settings).run()
    except CannotServe as error:
        sys.stderr.write(f"arus: {error}\n")
        return 1
