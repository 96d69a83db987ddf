"""The order in which a simulated system's records last changed: what a cursor counts. Imports nothing of the hub."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any


class ChangeLog:
    """Records by id. One that changes again moves to the end, so that pages by change number skip none."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self._changes: list[tuple[int, str]] = []
        self._last: dict[str, int] = {}

    def put(self, id: str, record: dict[str, Any]) -> None:
        self.records[id] = record
        number = len(self._changes) + 1
        self._changes.append((number, id))
        self._last[id] = number

    def changed(self, since: int, limit: int) -> tuple[list[dict[str, Any]], int, bool]:
        """(records changed after ``since`` in that order, the new cursor, whether there are more)."""
        found: list[dict[str, Any]] = []
        cursor = since
        for number, id in self._changes[bisect_right(self._changes, (since, "\U0010ffff")) :]:
            if self._last[id] != number:
                continue  # it changed again: its later place gives it
            if len(found) == limit:
                return found, cursor, True
            found.append(self.records[id])
            cursor = number
        return found, cursor, False
