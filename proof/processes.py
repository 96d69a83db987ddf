"""Processes as the kernel sees them: whose child, alive or not."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

PAUSE_SECONDS = 0.01


def children(parent: int) -> dict[int, str]:
    """The living children of a process, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        pid = int(folder.name)
        if _parent_and_state(pid) in {(parent, "S"), (parent, "R"), (parent, "D"), (parent, "T")}:
            found[pid] = _command(pid)
    return found


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    _, state = _parent_and_state(pid)
    return state not in {"", "Z", "X"}


async def gone(pids: list[int], patience: float) -> bool:
    """Wait until none of the processes runs; False where one still does after ``patience`` seconds."""
    until = time.monotonic() + patience
    while any(alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(PAUSE_SECONDS)
    return True


def _parent_and_state(pid: int) -> tuple[int, str]:
    try:
        # The name in the second field may hold blanks and brackets; the fields after its last bracket do not.
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        return 0, ""
    return int(parent), state


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
