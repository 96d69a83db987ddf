"""Stdout and stderr of a running hub, without ever waiting for a reader.

A pipe whose reader has stopped is full after 64 KiB. Whoever writes to it then stands still: a library's log in the
engine's loop, the supervisor that would start a dead child again. So lines that nobody takes are dropped, and their
number is told when somebody reads again. Files and terminals are written as ever.
"""

from __future__ import annotations

import io
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable


class Voice(io.TextIOBase):
    """Text to ``descriptor``, if it takes it now."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._put = _put_to(descriptor)
        self._dropped = 0
        self._line = threading.RLock()  # a signal may interrupt whoever speaks, and speak too

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, text: str, /) -> int:
        with self._line:
            told = f"arus: {self._dropped} pieces of what was said here found no reader\n" if self._dropped else ""
            try:
                self._put((told + text).encode(errors="backslashreplace"))
                self._dropped = 0
            except OSError:  # full, or the reader is gone
                self._dropped += 1
        return len(text)


def _put_to(descriptor: int) -> Callable[[bytes], object]:
    """How to write there without waiting. The descriptor itself is shared with others, and stays as it is."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode):
        own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        return lambda data: os.write(own, data)
    if stat.S_ISSOCK(mode):
        own_socket = socket.socket(fileno=os.dup(descriptor))
        return lambda data: own_socket.send(data, socket.MSG_DONTWAIT)
    return lambda data: os.write(descriptor, data)


def speak_without_waiting() -> None:
    """From here on ``sys.stdout`` and ``sys.stderr`` of this process never wait. Where that cannot be, they do."""
    for name in ("stdout", "stderr"):
        try:
            voice = Voice(getattr(sys, name).fileno())
        except (OSError, AttributeError, ValueError):
            continue
        setattr(sys, name, voice)
        setattr(sys, f"__{name}__", voice)  # where Celery's log goes
