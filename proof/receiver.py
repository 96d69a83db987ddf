"""Starts the destination's process and reads its progress."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from .destination import Mood

START_SECONDS = 30.0

ROOT = Path(__file__).resolve().parents[1]
"""Where the package is found, installed or not."""


class Receiver:
    """The destination as a process of its own, which ends with this one."""

    def __init__(self, journal: Path, mood: Mood) -> None:
        self._journal = journal
        self._mood = mood
        self._process: asyncio.subprocess.Process | None = None
        self._session = aiohttp.ClientSession()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "proof.destination", str(self._journal.absolute()), self._mood.encoded(),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        if self._process.stdout is None:
            raise RuntimeError("the destination has no standard output")
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        self.url = orjson.loads(line)["url"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End of input ends it, after what it has logged is synced."""
        await self._session.close()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def applied(self) -> int:
        """How many messages have had their effect."""
        return int((await self._counts())["applied"])

    async def answers(self) -> dict[str, int]:
        """How many attempts met which whim of its mood (see ``Mood.whim``) until now."""
        return dict((await self._counts())["answers"])

    async def change(self, mood: Mood) -> None:
        """From the return on it behaves so; attempts that it held are cut off."""
        async with self._session.put(self.url, data=mood.encoded()) as answer:
            answer.raise_for_status()

    async def _counts(self) -> dict[str, Any]:
        async with self._session.get(self.url) as answer:
            return dict(await answer.json())
