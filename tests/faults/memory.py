"""A room with little memory for a hub: a cgroup of its own, in which the kernel kills when it is used up."""

import contextlib
import os
import time
from pathlib import Path

from tests.services import wait_until
from tests.services.programs import missing

ROOT = Path("/sys/fs/cgroup")


class Room:
    """``enter`` is a shell command that a program starts behind; ``limit`` counts for all that is inside."""

    def __init__(self):
        self._old = (ROOT / "memory").is_dir()
        self._folder = (ROOT / "memory" if self._old else ROOT) / f"arus-{os.getpid()}-{time.monotonic_ns()}"
        self._folder.mkdir()
        self._most = self._folder / self._name("memory.limit_in_bytes", "memory.max")
        self._swap = self._folder / self._name("memory.memsw.limit_in_bytes", "memory.swap.max")
        if not self._most.exists():
            self._folder.rmdir()
            raise OSError("this cgroup has no control over memory")

    def _name(self, old, new):
        return old if self._old else new

    @property
    def enter(self):
        return f"echo $$ > {self._folder}/cgroup.procs"

    def used(self):
        return int((self._folder / self._name("memory.usage_in_bytes", "memory.current")).read_text())

    def limit(self, size):
        """Bytes, without swap."""
        self._most.write_text(str(size))
        if self._swap.exists():
            self._swap.write_text(str(size if self._old else 0))

    def lift(self):
        """No limit any more."""
        for file in (self._swap, self._most):
            if file.exists():
                file.write_text("-1" if self._old else "max")

    def kills(self):
        """How often the kernel has killed in here for want of memory."""
        lines = (self._folder / self._name("memory.oom_control", "memory.events")).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def leave(self):
        wait_until(lambda: not (self._folder / "cgroup.procs").read_text(), timeout=30, what="nobody is in the room")
        self._folder.rmdir()


@contextlib.contextmanager
def small_room():
    """Where the kernel's cgroups may not be used: skipped here, failed where CI=true."""
    try:
        room = Room()
    except OSError as error:
        missing(f"this test bounds a hub's memory by a cgroup of its own, as root: {error}")
    try:
        yield room
    finally:
        room.leave()


def first_to_go(process):
    """The kernel kills this one first when memory is used up."""
    Path(f"/proc/{process}/oom_score_adj").write_text("1000")
