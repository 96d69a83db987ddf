"""Logs that can be trusted after any crash: JSON lines, appended and synced in groups."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson


class Journal:
    """One file of one writing process. What ``put`` answers is done once the line is on disk."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._lines: list[bytes] = []
        self._synced: asyncio.Future[None] | None = None
        self._syncing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def put(self, record: Mapping[str, Any]) -> asyncio.Future[None]:
        """Append ``record``, with the time of this moment where it has none; await the answer to have it on disk.

        Lines stand in the file in the order of the calls. One sync covers all lines that wait for it.
        """
        self._lines.append(orjson.dumps({"at": time.monotonic(), **record}) + b"\n")
        if self._synced is None:
            self._synced = asyncio.get_running_loop().create_future()
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.create_task(self._sync())
        return self._synced

    async def close(self) -> None:
        """Sync what was put, then close the file."""
        if self._syncing is not None:
            await self._syncing
        os.close(self._descriptor)

    async def _sync(self) -> None:
        while self._synced is not None:
            lines, synced = self._lines, self._synced
            self._lines, self._synced = [], None
            try:
                await asyncio.to_thread(self._write, b"".join(lines))
            except OSError as error:
                # Whoever waits must not go on: what it would do next rests on a line that may not be there.
                synced.set_exception(error)
            else:
                synced.set_result(None)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fdatasync(self._descriptor)
