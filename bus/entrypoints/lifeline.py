"""Two pipes between parent and child: the child ends with its parent, and tells it once that it has started."""

from __future__ import annotations

import contextlib
import os
import threading


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
