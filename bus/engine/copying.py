"""Copies of a whole store: SQLite by its online backup, PostgreSQL by its own client programs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url

from bus.contract.errors import Problem, Refused

from .database import BUSY_SECONDS

_DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of each version."""

_LOOK = 0.25
"""Seconds between two tries at a store that another process writes."""


def copy_sqlite(source: Path, target: Path) -> None:
    """Make ``target`` what ``source`` is at one moment, in one transaction on each; others may go on meanwhile.

    An existing target is replaced whole or, if this process dies, not at all.
    """
    with (
        contextlib.closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as reading,
        contextlib.closing(sqlite3.connect(target, timeout=BUSY_SECONDS)) as writing,
    ):
        writing.execute("PRAGMA synchronous=FULL")
        reading.backup(writing, progress=_bounded(), sleep=_LOOK)


def _bounded() -> Callable[[int, int, int], None]:
    """The copy is one step: whoever is called often waits for a lock, and sqlite3 would do so for ever."""
    left = int(BUSY_SECONDS / _LOOK)

    def progress(_status: int, _remaining: int, _total: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise sqlite3.OperationalError("database is locked")

    return progress


def dump_postgres(url: str, snapshot: str, target: Path) -> None:
    """``pg_dump`` what the open transaction ``snapshot`` sees."""
    _run(url, "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={target}")


def load_postgres(url: str, source: Path) -> None:
    """``pg_restore`` over what is there, in one transaction."""
    _run(url, "pg_restore", "--clean", "--if-exists", "--single-transaction", "--exit-on-error", str(source))


def _run(url: str, name: str, *words: str) -> None:
    parsed = make_url(url)
    # The password stays out of the list of processes.
    environment = dict(os.environ) | ({"PGPASSWORD": str(parsed.password)} if parsed.password is not None else {})
    place = parsed.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    command = [_program(name), "--no-owner", "--no-privileges", f"--dbname={place}", *words]
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[0][:300]
        raise Refused(Problem("client-failed", "A program of PostgreSQL failed", 503, f"{name}: {said}"))


def _program(name: str) -> str:
    """From PATH, or the newest of Debian's versions."""
    found = shutil.which(name) or max(
        (str(path) for path in _DEBIAN.glob(f"*/bin/{name}")),
        key=lambda path: int(re.findall(r"\d+", path)[0]),
        default=None,
    )
    if found is None:
        detail = (
            f"{name} is not in PATH: install PostgreSQL's client programs (postgresql-client), of the server's version"
        )
        raise Refused(Problem("client-missing", "A program of PostgreSQL is missing", 503, detail))
    return found
