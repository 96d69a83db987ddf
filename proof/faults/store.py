"""The embedded store under a foreign hand."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass

from proof.scene import Scene, now

from .fault import EMBEDDED, Fault


@dataclass(frozen=True)
class StoreLocked(Fault):
    """Somebody opens the database and holds its write lock."""

    seconds: float = 4.0

    async def strike(self, scene: Scene) -> None:
        at = now()
        connection = sqlite3.connect(
            scene.hub.folder / "home" / "arus.db", isolation_level=None, timeout=30, check_same_thread=False
        )
        try:
            await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
            number = await scene.began(self, hit=True, at=at)
            # The length of the hold is the fault.
            await asyncio.sleep(self.seconds)
            connection.execute("ROLLBACK")
        finally:
            connection.close()
        await scene.hub.ready()
        await scene.ended(number)


STORE: tuple[Fault, ...] = (StoreLocked("F17", "SQLite locked from outside", EMBEDDED),)
