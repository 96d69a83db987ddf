"""What parent and child have between them: the child ends with its parent, tells it once that it has started, and
with one of its exit codes why it ended."""

from __future__ import annotations

import contextlib
import os
import threading

DISK_FAILED = os.EX_IOERR
"""The exit code of a child that has to open the store anew, through no fault of what it had in hand."""


def die_with_parent(descriptor: int) -> None:
    """``descriptor`` is the reading end of a pipe that the parent alone can write to: its end is the parent's."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="arus-lifeline", daemon=True).start()


def say_started(descriptor: int) -> None:
    """Tell the parent that what a start can fail at is behind this child; see ``heard_started``."""
    with contextlib.suppress(BrokenPipeError):  # a parent that is gone is the lifeline's matter
        os.write(descriptor, b"!")
    os.close(descriptor)


def heard_started(descriptor: int) -> bool:
    """Did the child that held the other end say so? Asked once, after its end; closes ``descriptor``."""
    try:
        return os.read(descriptor, 1) == b"!"
    finally:
        os.close(descriptor)
