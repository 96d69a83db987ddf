"""A private hub, driven as anybody drives one: its command, its signals, its HTTP interface."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from .processes import gone

READY_SECONDS = 90.0
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


class Hub(ABC):
    """What both ways of running have in common. A *part* is a process with a role; ``kill`` says which there are.

    ``environment`` is added to that of this process, of which no ``ARUS_*`` setting is kept.
    """

    accepts: str
    """The part that takes messages."""
    delivers: str
    """The part that delivers them."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.absolute()
        self._order = self.folder / "kill-order"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
        self.environment = {
            **inherited,
            "ARUS_KILL_POINT": str(self._order),
            **(environment or {}),
            "ARUS_HOME": str(self.folder / "home"),
        }
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    @abstractmethod
    def urls(self) -> list[str]:
        """Where it takes messages: one address for each process that does."""

    @abstractmethod
    async def start(self) -> None:
        """Start and wait until it is ready. Raises HubFailed."""

    @abstractmethod
    async def _end(self) -> None:
        """End every process as an operator does. Raises HubFailed where one does not end."""

    @abstractmethod
    def part(self, name: str) -> int:
        """The process id of a running part of this name. Raises HubFailed where there is none."""

    @abstractmethod
    def deliverers(self) -> list[str]:
        """Every part that delivers."""

    @abstractmethod
    async def kill(self, part: str) -> int:
        """SIGKILL; answers the process id once it is dead. Raises HubFailed where there was nothing to kill."""

    @abstractmethod
    async def back(self, part: str, dead: int) -> None:
        """Wait until the killed part is there again. Raises HubFailed."""

    @abstractmethod
    async def restart(self) -> None:
        """Every process once, in turn, as for a deployment: asked to end, waited for, started. Raises HubFailed."""

    @abstractmethod
    def last_words(self) -> str:
        """The end of its log, for an error message."""

    async def stop(self) -> None:
        """End it as an operator does. Raises HubFailed where it does not end."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self._end()

    async def order_kill(self, point: str, patience: float) -> int | None:
        """Have the next process that passes ``point`` (``name[:n]``) kill itself; answers its id once it is dead.

        None where nobody came by within ``patience`` seconds: the order is taken back.
        """
        draft = self._order.with_suffix(".draft")
        draft.write_text(point, encoding="ascii")
        before = set(self._taken())
        draft.rename(self._order)
        until = time.monotonic() + patience
        while not (taken := set(self._taken()) - before):
            if time.monotonic() > until:
                self._order.unlink(missing_ok=True)
                # It may have been taken in this very moment.
                taken = set(self._taken()) - before
                break
            await asyncio.sleep(PAUSE_SECONDS)
        await gone(list(taken), DEATH_SECONDS)
        return next(iter(taken), None)

    def _taken(self) -> list[int]:
        return [int(path.suffix[1:]) for path in self.folder.glob("kill-order.*") if path.suffix[1:].isdecimal()]

    async def ready(self) -> None:
        """Wait until ``/readyz`` answers 200 at every address. Raises HubFailed."""
        until = time.monotonic() + READY_SECONDS
        for url in self.urls:
            while not await self._answers(url):
                if time.monotonic() > until:
                    raise HubFailed(f"{url} is not ready after {READY_SECONDS:g} s{self.last_words()}")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _answers(self, url: str) -> bool:
        try:
            async with self.session.get(f"{url}/readyz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def create_key(self, system: str, scope: str) -> str:
        """A key by the command line, as an operator makes one. Raises HubFailed."""
        return str((await self._ask("keys", "create", system, "--scope", scope, codes={0}))["key"])

    async def audit(self) -> dict[str, Any]:
        """What ``arus audit verify`` finds, right or wrong. Raises HubFailed where it finds nothing out."""
        return dict(await self._ask("audit", "verify", codes={0, 1}))

    async def _ask(self, *words: str, codes: Collection[int]) -> Any:
        """The document of a command beside the hub, where it ends with one of these codes. Raises HubFailed."""
        process = await asyncio.create_subprocess_exec(
            command(), *words, "--json", env=self.environment, cwd=self.folder,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode not in codes or not out.strip():
            told = err.decode(errors="replace")
            raise HubFailed(f"arus {' '.join(words[:2])} ended with {process.returncode}: {told}")
        return orjson.loads(out)

    async def call(self, method: str, path: str, key: str | None = None, body: Any = None) -> Any:
        """A JSON answer of the interface. Raises HubFailed for anything but 2xx."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.session.request(method, self.urls[0] + path, headers=headers, json=body) as answer:
            text = await answer.read()
            if not answer.ok:
                raise HubFailed(f"{method} {path} answered {answer.status}: {text.decode(errors='replace')[:500]}")
        return orjson.loads(text) if answer.content_type.endswith("json") else text.decode()

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=READY_SECONDS))
        return self._session


async def said_port(log: Path, runs: Callable[[], bool]) -> int:
    """The port in the line ``arus: http://host:port`` of a log, once it is there. Raises HubFailed."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if port := _port(log):
            return port
        if not runs():
            break
        await asyncio.sleep(PAUSE_SECONDS)
    raise HubFailed(f"it did not say where it listens{tail(log)}")


def _port(log: Path) -> int | None:
    for line in log.read_bytes().decode(errors="replace").splitlines(keepends=True):
        if line.startswith("arus: http://") and line.endswith("\n"):
            return int(line.strip().rpartition(":")[2])
    return None


def tail(log: Path) -> str:
    """The last lines of a log, for an error message."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return f"; {log.name} ends:\n" + "\n".join(text.splitlines()[-15:])
