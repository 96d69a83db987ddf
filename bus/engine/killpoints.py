"""Places where a process ends itself by SIGKILL when the proof asks for it; without being asked, nothing.

``ARUS_KILL_POINT`` is read once, when the process starts:

``name`` or ``name:n``  this process dies at its ``n``-th passage (the first, if absent), and so does its successor;
``/path/of/an/order``   while a file of that name holds ``name`` or ``name:n``, whoever makes the ``n``-th passage
                        dies. It renames the file to ``<path>.<its process id>`` first: one order kills one process.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable

NAMES = frozenset(
    {
        "api.before_commit",
        "api.after_commit",
        "worker.before_send",
        "worker.after_response",
        "worker.before_settle_commit",
        "sweeper.mid_tick",
    }
)
"""As the rows of the fault matrix name them: F01, F02, F03, F05, F05 (within the settling transaction), F06."""


def passing(name: str) -> None:
    """This process is at the place ``name``. Does not return where it is to die here."""
    if _at is not None:
        _at(name)


def _armed() -> Callable[[str], None] | None:
    asked = os.environ.get("ARUS_KILL_POINT")
    if not asked:
        return None
    passed: Counter[str] = Counter()
    if asked.startswith("/"):
        return lambda name: _obey(asked, name, passed)
    wanted = _read(asked)

    def at(name: str) -> None:
        passed[name] += 1
        if (name, passed[name]) == wanted:
            _die()

    return at


def _obey(order: str, name: str, passed: Counter[str]) -> None:
    try:
        with open(order, encoding="ascii") as file:  # noqa: PTH123 - a few microseconds count here
            wanted, count = _read(file.read())
    except OSError:
        passed.clear()  # no order: passages are counted from the moment of one
        return
    if name != wanted:
        return
    passed[name] += 1
    if passed[name] < count:
        return
    try:
        os.rename(order, f"{order}.{os.getpid()}")  # noqa: PTH104 - as above
    except OSError:
        return  # another process took it
    _die()


def _read(text: str) -> tuple[str, int]:
    name, _, count = text.strip().partition(":")
    if name not in NAMES or not (count or "1").isdecimal():
        raise ValueError(f"ARUS_KILL_POINT is name[:n] with one of {', '.join(sorted(NAMES))}, not {text!r}")
    return name, int(count or 1)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # the signal ends every thread; this one gets no further meanwhile


_at = _armed()
