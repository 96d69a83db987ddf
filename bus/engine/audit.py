"""Audit rows: written in the transaction of what they tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from .dialect import run


def note(connection: Connection, at: int, actor: str, action: str, detail: Mapping[str, Any]) -> None:
    """``actor`` is a system, a person's key or ``hub``; ``detail`` holds ids and hashes, never bodies."""
    text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
    run(connection, "audit_note", {"at": at, "actor": actor, "action": action, "detail": text})
