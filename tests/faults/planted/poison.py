"""Planted bug: the mapping of budget lines to e-Project ends, or never leaves, its process for records that say so."""

import ctypes
import os

from bus.entrypoints import watchdog

TARGET = "mappings.e_project.budget_line"


def plant(budget_line):
    honest = budget_line.from_canonical
    watchdog.STILL = float(os.environ.get("STILL", watchdog.STILL))

    def from_canonical(line):
        match line.description:
            case "poison: exit":
                os._exit(7)
            case "poison: segfault":
                ctypes.string_at(0)
            case "poison: loop":
                while True:
                    pass
            case "poison: memory":
                raise MemoryError
        return honest(line)

    budget_line.from_canonical = from_canonical
