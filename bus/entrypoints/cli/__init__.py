"""The command line, ``arus``. Verbs import what they need when they are called: ``--help`` stays quick."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 it found something wrong, 2 wrong usage."""
    from .app import build

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    build()()
