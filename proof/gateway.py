"""Starts a proxy's process and changes the weather there."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import orjson

from .proxy import Weather
from .receiver import ROOT, START_SECONDS


class Gateway:
    """A proxy before ``host:port``, in a process of its own that ends with this one; it listens at ``port``."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._process: asyncio.subprocess.Process | None = None
        self._talking = asyncio.Lock()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "proof.proxy", self._place[0], str(self._place[1]),
            cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.port = (await self._heard())["port"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def change(self, weather: Weather) -> dict[str, int]:
        """From the return on it is so; answers how often it has done what (see ``Weather``) until now."""
        return await self._ask(asdict(weather))

    async def hits(self) -> dict[str, int]:
        """How often it has done what until now."""
        return await self._ask(None)

    async def _ask(self, wanted: dict[str, Any] | None) -> dict[str, int]:
        async with self._talking:
            if self._process is None or self._process.stdin is None:
                raise RuntimeError("the proxy does not run")
            self._process.stdin.write(orjson.dumps(wanted) + b"\n")
            await self._process.stdin.drain()
            return await self._heard()

    async def _heard(self) -> dict[str, int]:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError("the proxy does not run")
        # wait_for of Python 3.11 loses a cancellation that meets the answer, and whoever cancelled waits for ever.
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        return dict(orjson.loads(line))
