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

from .lifeline import DISK_FAILED, heard_started
from .settings import Settings
from .unheard import speak_without_waiting

LOCK_PATIENCE = 15.0
"""Seconds to wait for the processes of a hub that was just killed to be gone."""

FALSE_STARTS = 5
"""A child that never came up and ended so many times does not start here."""

LONGEST_PAUSE = 5.0
"""Seconds at most between two tries to start a child that does not come up; each pause doubles, from 0.2."""

GRACE = 15.0


class CannotServe(Exception):
    """The hub cannot start here; the text says why and what to do."""


@dataclass(slots=True)
class _Child:
    module: str
    descriptors: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    starting: int = -1
    """The reading end of the pipe on which this process says that it has started."""
    false_starts: int = 0
    came_up: bool = False
    died: bool = False
    """The last one that came up died at work."""
    start_at: float = 0.0

    def start(self, environment: Mapping[str, str], kept: tuple[int, ...]) -> None:
        self.starting, started = os.pipe()
        os.set_blocking(self.starting, False)
        lifeline, *others = self.descriptors
        words = [str(one) for one in (lifeline, started, *others)]
        if self.module == "engine_process":
            # One that never came up had nothing in hand: what an earlier hub left does not count as its death.
            words.append("died" if self.died else "fresh")
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own modules
            [sys.executable, "-m", f"bus.entrypoints.{self.module}", *words],
            pass_fds=(*self.descriptors, started, *kept),
            env=dict(environment),
        )
        os.close(started)

    def ended(self, code: int) -> None:
        """Take note of an end: when to start again, and whether that still helps."""
        self.process = None
        if heard_started(self.starting):
            self.false_starts, self.came_up, self.start_at = 0, True, 0.0
            self.died = code != DISK_FAILED
        else:
            self.false_starts += 1
            self.start_at = time.monotonic() + min(LONGEST_PAUSE, 0.1 * 2.0**self.false_starts)

    @property
    def hopeless(self) -> bool:
        """What has run before will run again, once the fault (a store that is away, a full disk) ends."""
        return not self.came_up and self.false_starts >= FALSE_STARTS


@dataclass(slots=True)
class Supervisor:
    """Starts the front and the engine, and starts again whichever dies."""

    settings: Settings
    children: list[_Child] = field(default_factory=list)
    stopping: bool = False

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; answers the exit code."""
        # In the distributed mode the database keeps the processes apart, and any number of fronts may run.
        lock = os.open(os.devnull, os.O_RDONLY) if self.settings.distributed else _lock(self.settings.home)
        listener = _listen(self.settings)
        # The children end when this pipe does, and this process alone holds its writing end.
        lifeline, own_end = os.pipe()
        bell_out, bell_in = os.pipe()
        front = _Child("front_process", (lifeline, bell_in, listener.fileno()))
        self.children = (
            [front] if self.settings.distributed else [_Child("engine_process", (lifeline, bell_out)), front]
        )
        environment = self._environment()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        for child in self.children:
            child.start(environment, (lock,))
        host, port = listener.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        sys.stderr.write(f"arus: http://{host}:{port}\n")
        sys.stderr.flush()
        try:
            return self._watch(environment, lock)
        finally:
            # While we hold the door too, it stays open when the front closes it, and nobody answers there.
            listener.close()
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
                if child.process is None:
                    if time.monotonic() >= child.start_at:
                        child.start(environment, (lock,))
                elif (code := child.process.poll()) is not None:
                    child.ended(code)
                    if child.hopeless:
                        sys.stderr.write(f"arus: {child.module} does not start; see the lines above\n")
                        return 1
                    sys.stderr.write(f"arus: {child.module} ended ({code}); started again\n")
            time.sleep(0.05)
        return 0

    def _end(self) -> None:
        running = [child.process for child in reversed(self.children) if child.process is not None]
        for process in running:
            process.terminate()
        until = time.monotonic() + self.settings.leaving + GRACE
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _lock(home: Path) -> int:
    """One hub per home. The kernel frees the lock when the last process that inherited it is gone."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home / "arus.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CannotServe(
            f"cannot write in {home} ({error.strerror}): mend that, or choose another place with ARUS_HOME"
        ) from None
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
    speak_without_waiting()
    given = {name: value for name, value in {"port": port, "host": host}.items() if value is not None}
    settings = Settings(**given)  # type: ignore[arg-type]
    try:
        return Supervisor(settings).run()
    except CannotServe as error:
        sys.stderr.write(f"arus: {error}\n")
        return 1
