"""Pages by key: the next page begins after the last row of this one, whatever was added meanwhile."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import timedelta, timezone
from typing import Any

from bus.contract.clock import to_datetime
from bus.contract.errors import Problem, Refused

MOST = 500
_WIB = timezone(timedelta(hours=7))


def cursor_of(row: int) -> str:
    return base64.urlsafe_b64encode(f"s{row}".encode()).decode().rstrip("=")


def row_of(cursor: str | None) -> int | None:
    """The row that a cursor names. Raises Refused for what was never a cursor."""
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    if not (text.startswith("s") and text[1:].isdecimal() and len(text) < 20):
        detail = "take the cursor from the member next of the page before, unchanged"
        raise Refused(Problem("invalid-cursor", "Invalid cursor", 422, detail))
    return int(text[1:])


def page(rows: Sequence[Any], limit: int, form: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """``rows`` were asked for with one more than ``limit``; each has ``seq``."""
    shown = rows[:limit]
    more = len(rows) > limit
    return {"items": [form(row) for row in shown], "next": cursor_of(shown[-1].seq) if more else None}


def moment(stored: int | None) -> str | None:
    """A stored moment in Surabaya's local time, with its zone."""
    return None if stored is None else to_datetime(stored).astimezone(_WIB).isoformat()
