"""A private hub, driven as anybody drives one: its command, its signals, its HTTP interface."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import orjson

from .processes import children, gone

Victim = Literal["hub", "front", "engine"]
"""What is killed: the supervising process, whose children must end with it, or one of the two children alone."""

READY_SECONDS = 60.0
DEATH_SECONDS = 15.0
PAUSE_SECONDS = 0.02


class HubFailed(Exception):
    """The hub did not do what every run rests on; the text ends with what it said last."""


def command() -> str:
    """Where ``arus`` is: beside this Python, else on the path. Raises HubFailed."""
    beside = Path(sys.executable).with_name("arus")
    found = str(beside) if beside.exists() else shutil.which("arus")
    if found is None:
        raise HubFailed("the command arus is not installed here")
    return found


class Hub:
    """A hub in ``folder``. ``environment`` is added to that of this process, of which no ``ARUS_*`` setting is kept.

    After the first start it keeps its port, so that a restarted one is found where the first was.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
        self._environment = {**inherited, **(environment or {}), "ARUS_HOME": str(folder / "home")}
        self._log = folder / "hub.log"
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start and wait until it is ready. Raises HubFailed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                command(), "serve", "--port", str(self._port),
                env=self._environment, cwd=self._folder, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if self._port == 0:
            self._port = await self._port_said(written)
        await self.ready()

    async def stop(self) -> None:
        """End it as an operator does. Raises HubFailed where it does not end."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), DEATH_SECONDS * 2)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise HubFailed(f"it did not end on SIGTERM{self.last_words()}") from None

    async def kill(self, victim: Victim) -> int:
        """SIGKILL; answers the process id once it is dead. Raises HubFailed where there was nothing to kill.

        With the supervising process its children must be gone too: an orphan would go on sending.
        """
        process = self._running()
        family = children(process.pid)
        if victim == "hub":
            process.kill()
            await process.wait()
            if not await gone(list(family), DEATH_SECONDS):
                raise HubFailed(f"children outlive their killed parent: {family}")
            return process.pid
        pid = self._child(victim, family)
        if pid is None:
            raise HubFailed(f"it has no {victim} to kill{self.last_words()}")
        os.kill(pid, signal.SIGKILL)
        if not await gone([pid], DEATH_SECONDS):
            raise HubFailed(f"its {victim} {pid} outlives SIGKILL")
        return pid

    async def back(self, victim: Victim, dead: int) -> None:
        """Wait until the killed part is there again; the supervising process is started anew. Raises HubFailed."""
        if victim == "hub":
            await self.start()
            return
        until = time.monotonic() + READY_SECONDS
        while self._child(victim, children(self._running().pid)) in {None, dead}:
            if time.monotonic() > until:
                raise HubFailed(f"its {victim} was not started again{self.last_words()}")
            await asyncio.sleep(PAUSE_SECONDS)
        await self.ready()

    async def ready(self) -> None:
        """Wait until ``/readyz`` answers 200. Raises HubFailed."""
        until = time.monotonic() + READY_SECONDS
        while True:
            self._running()
            try:
                async with self.session.get(f"{self.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            if time.monotonic() > until:
                raise HubFailed(f"it is not ready after {READY_SECONDS:g} s{self.last_words()}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def create_key(self, system: str, scope: str) -> str:
        """A key by the command line, as an operator makes one. Raises HubFailed."""
        words = (command(), "keys", "create", system, "--scope", scope, "--json")
        process = await asyncio.create_subprocess_exec(
            *words, env=self._environment, cwd=self._folder,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode != 0:
            raise HubFailed(f"arus keys create ended with {process.returncode}: {err.decode(errors='replace')}")
        return str(orjson.loads(out)["key"])

    async def call(self, method: str, path: str, key: str | None = None, body: Any = None) -> Any:
        """A JSON answer of the interface. Raises HubFailed for anything but 2xx."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.session.request(method, self.url + path, headers=headers, json=body) as answer:
            text = await answer.read()
            if not answer.ok:
                raise HubFailed(f"{method} {path} answered {answer.status}: {text.decode(errors='replace')[:500]}")
        return orjson.loads(text) if answer.content_type.endswith("json") else text.decode()

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=READY_SECONDS))
        return self._session

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            raise HubFailed(f"it does not run{self.last_words()}")
        return self._process

    async def _port_said(self, written: int) -> int:
        """The port in the line ``arus: http://host:port`` that this start added to the log."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            self._running()
            for line in self._log.read_bytes()[written:].decode(errors="replace").splitlines(keepends=True):
                if line.startswith("arus: http://") and line.endswith("\n"):
                    return int(line.strip().rpartition(":")[2])
            await asyncio.sleep(PAUSE_SECONDS)
        raise HubFailed(f"it did not say where it listens{self.last_words()}")

    def _child(self, victim: Victim, family: Mapping[int, str]) -> int | None:
        return next((pid for pid, line in family.items() if f"{victim}_process" in line), None)

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "; its log ends:\n" + "\n".join(text.splitlines()[-15:])
