"""A clock that a test moves, and a drop folder that looks by it."""

import os
from datetime import date
from pathlib import Path

from connectors.kit.drop import DropSettings, LocalClaimed, LocalDropFolder


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Inbox:
    """One hub's view of ``folder``; ``look`` claims after moving the clock."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.clock = Clock()
        self.hub = LocalDropFolder(folder, DropSettings(**settings), self.clock, lambda: date(2026, 2, 3))  # type: ignore[arg-type]

    def look(self, later: float = 0.0) -> LocalClaimed | None:
        self.clock.now += later
        return self.hub.claim()

    def settled(self) -> LocalClaimed | None:
        """What two looks, far enough apart, give."""
        return self.look() or self.look(later=2.0)

    def put(self, name: str, content: bytes = b"a;b\n1;2\n", at: int | None = None) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_bytes(content)
        if at is not None:
            os.utime(path, (at, at))
        return path

    def names(self, below: str = "") -> list[str]:
        """Visible names; what the hub keeps for itself is left out."""
        folder = self.folder / below
        kept = {"done", "refused"} if not below else set()
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and path.name not in kept)
