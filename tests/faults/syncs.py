"""Syncs of SQLite's log as a test wants them: counted, slow, or failing once. See ``sync_shim.c``."""

import ctypes
import mmap
import subprocess
from pathlib import Path

from tests.services.programs import program

SOURCE = Path(__file__).with_name("sync_shim.c")


class Control(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("victim", "fail_in", "hit", "again", "delay_ms", "count")]


class Syncs:
    """``environment`` puts the shim before a hub; ``control`` is what its processes read and write meanwhile."""

    def __init__(self, folder):
        library, shared = folder / "sync_shim.so", folder / "sync_shim.control"
        gcc = program("gcc", package="gcc")
        subprocess.run([gcc, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True, timeout=60)
        shared.write_bytes(bytes(ctypes.sizeof(Control)))
        with shared.open("r+b") as file:
            self.control = Control.from_buffer(mmap.mmap(file.fileno(), ctypes.sizeof(Control)))
        self.environment = {"LD_PRELOAD": str(library), "SYNC_SHIM": str(shared)}

    def fail_one(self, process, after):
        """One sync of ``process`` fails, after so many that succeed."""
        self.control.fail_in = after
        self.control.victim = process
