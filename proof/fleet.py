"""The distributed hub: two fronts, two workers and two sweepers over one PostgreSQL and one RabbitMQ."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .hub import DEATH_SECONDS, PAUSE_SECONDS, READY_SECONDS, Hub, HubFailed, command, said_port, tail
from .processes import children, gone

KEEP_SECONDS = 0.2
"""How soon a process that ended is started again, as an orchestrator would do it."""


@dataclass(slots=True)
class _Unit:
    """One process of the fleet. ``port`` is kept by a front over its restarts."""

    name: str
    words: tuple[str, ...]
    log: Path
    port: int | None = None
    process: asyncio.subprocess.Process | None = None
    held: bool = False
    """Somebody is just stopping and starting it; the keeper lets it be."""

    def runs(self) -> bool:
        return self.process is not None and self.process.returncode is None


class Fleet(Hub):
    """Parts: ``api-1 api-2 worker-1 worker-2 sweeper-1 sweeper-2``; of a part without a number the first that runs."""

    accepts = "api"
    delivers = "worker"

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, environment)
        kinds = (("api", ("serve",)), ("worker", ("worker",)), ("sweeper", ("worker", "--sweep")))
        self._units = [
            _Unit(f"{kind}-{number}", words, self.folder / f"{kind}-{number}.log", 0 if kind == "api" else None)
            for kind, words in kinds
            for number in (1, 2)
        ]
        self._keeper: asyncio.Task[None] | None = None

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{unit.port}" for unit in self._units if unit.port]

    def deliverers(self) -> list[str]:
        return ["worker-1", "worker-2"]

    async def start(self) -> None:
        for unit in self._units:
            await self._start(unit)
            if unit.port == 0:
                unit.port = await said_port(unit.log, unit.runs)
                await self.ready()  # one alone makes the tables, the others find them
        self._keeper = asyncio.create_task(self._keep())

    async def _start(self, unit: _Unit) -> None:
        port = () if unit.port is None else ("--port", str(unit.port))
        with unit.log.open("ab") as log:
            unit.process = await asyncio.create_subprocess_exec(
                command(), *unit.words, *port,
                env=self.environment, cwd=self.folder, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def _keep(self) -> None:
        while True:
            for unit in self._units:
                if not unit.held and not unit.runs():
                    await self._start(unit)
            await asyncio.sleep(KEEP_SECONDS)

    async def _end(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await asyncio.gather(*(self._end_unit(unit) for unit in self._units))

    async def _end_unit(self, unit: _Unit) -> None:
        process = unit.process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(DEATH_SECONDS * 3):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _unit(self, part: str) -> _Unit:
        found = next((unit for unit in self._units if unit.name.startswith(part) and unit.runs()), None)
        if found is None:
            raise HubFailed(f"no {part} runs{self.last_words()}")
        return found

    def part(self, name: str) -> int:
        process = self._unit(name).process
        if process is None:
            raise HubFailed(f"no {name} runs")
        return process.pid

    async def kill(self, part: str) -> int:
        pid = self.part(part)
        family = children(pid)
        os.kill(pid, signal.SIGKILL)
        if not await gone([pid, *family], DEATH_SECONDS):
            raise HubFailed(f"{part} {pid} or a child of it outlives SIGKILL")
        return pid

    async def back(self, part: str, dead: int) -> None:
        """All parts run, and every front is ready: which one died does not matter."""
        until = time.monotonic() + READY_SECONDS
        while not all(unit.runs() and unit.process is not None and unit.process.pid != dead for unit in self._units):
            if time.monotonic() > until:
                raise HubFailed(f"not every process was started again{self.last_words()}")
            await asyncio.sleep(PAUSE_SECONDS)
        await self.ready()

    async def restart(self) -> None:
        for unit in self._units:
            unit.held = True
            try:
                await self._end_unit(unit)
                await self._start(unit)
                await self.ready()
            finally:
                unit.held = False

    def last_words(self) -> str:
        return "".join(tail(unit.log) for unit in self._units)
