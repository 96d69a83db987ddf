"""A child that ends with its parent, however the parent ends."""

from __future__ import annotations

import os
import threading


def die_with_parent(descriptor: int) -> None:
    """``descriptor`` is the reading end of a pipe that the parent alone can write to: its end is the parent's."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="arus-lifeline", daemon=True).start()
