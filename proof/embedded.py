"""The embedded hub: ``arus serve`` and its two children."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from .hub import DEATH_SECONDS, PAUSE_SECONDS, READY_SECONDS, Hub, HubFailed, command, said_port, tail
from .processes import children, gone


class Embedded(Hub):
    """Parts: ``hub``, the supervising process, whose children must end with it, and the children ``front``, ``engine``.

    After the first start it keeps its port, so that a restarted one is found where the first was.
    """

    accepts = "front"
    delivers = "engine"

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, environment)
        self._log = self.folder / "hub.log"
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{self._port}"]

    async def start(self) -> None:
        with self._log.open("ab") as log:
            process = self._process = await asyncio.create_subprocess_exec(
                command(), "serve", "--port", str(self._port),
                env=self.environment, cwd=self.folder, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if self._port == 0:
            self._port = await said_port(self._log, lambda: process.returncode is None)
        await self.ready()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(DEATH_SECONDS * 2):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise HubFailed(f"it did not end on SIGTERM{self.last_words()}") from None

    def part(self, name: str) -> int:
        process = self._running()
        found = process.pid if name == "hub" else self._child(name)
        if found is None:
            raise HubFailed(f"it has no {name}{self.last_words()}")
        return found

    def deliverers(self) -> list[str]:
        return ["engine"]

    async def kill(self, part: str) -> int:
        """With the supervising process its children must be gone too: an orphan would go on sending."""
        process = self._running()
        family = children(process.pid)
        if part == "hub":
            process.kill()
            await process.wait()
            if not await gone(list(family), DEATH_SECONDS):
                raise HubFailed(f"children outlive their killed parent: {family}")
            return process.pid
        pid = self.part(part)
        os.kill(pid, signal.SIGKILL)
        if not await gone([pid], DEATH_SECONDS):
            raise HubFailed(f"its {part} {pid} outlives SIGKILL")
        return pid

    async def back(self, part: str, dead: int) -> None:
        """The supervising process is started anew; its children are started by it."""
        if part == "hub":
            await self.start()
            return
        until = time.monotonic() + READY_SECONDS
        while self._child(part) in {None, dead}:
            if time.monotonic() > until:
                raise HubFailed(f"its {part} was not started again{self.last_words()}")
            await asyncio.sleep(PAUSE_SECONDS)
        await self.ready()

    async def restart(self) -> None:
        await self._end()
        await self.start()

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            raise HubFailed(f"it does not run{self.last_words()}")
        return self._process

    async def _answers(self, url: str) -> bool:
        self._running()
        return await super()._answers(url)

    def _child(self, part: str) -> int | None:
        family = children(self._running().pid)
        return next((pid for pid, line in family.items() if f"{part}_process" in line), None)

    def last_words(self) -> str:
        return tail(self._log)
