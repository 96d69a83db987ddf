"""Going through pages of a browse query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MOST = 500


def up_to(limit: int, ask: Callable[[int, str | None], dict[str, Any]]) -> list[dict[str, Any]]:
    """At most ``limit`` items; ``ask(size, cursor)`` gives one page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(items) < limit:
        page = ask(min(MOST, limit - len(items)), cursor)
        items.extend(page["items"])
        cursor = page["next"]
        if cursor is None:
            break
    return items
