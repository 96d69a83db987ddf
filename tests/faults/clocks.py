"""A wall clock that a test turns, for the processes that it starts: libfaketime, and a file that says how far."""

import os
from datetime import UTC, datetime

from tests.services.programs import program

HOUR = 3600
YEARS = 10 * 366 * 24 * HOUR
PLACES = ["/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1"]


def since_1970():
    """Seconds to turn back for a machine that woke up without a battery, and has run for an hour."""
    return HOUR - int(datetime.now(UTC).timestamp())


SLEEP = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], max(0.0, seconds)) and None
"""
"""Python sleeps until a moment of the monotonic clock, which libfaketime 0.9.10 takes for one of the wall clock."""


class Clock:
    """``environment`` is what a process gets that lives by this clock."""

    def __init__(self, folder, name="clock", by=0):
        self._file = folder / name
        (folder / "sleep").mkdir(exist_ok=True)
        (folder / "sleep" / "sitecustomize.py").write_text(SLEEP)
        self.environment = {
            "LD_PRELOAD": str(program("libfaketimeMT.so.1", places=PLACES, package="faketime")),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds between two looks at the file
            # What ticks goes on ticking: a jump of the wall clock is what is to be shown, and nothing else.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(folder / "sleep"), os.environ.get("PYTHONPATH")])),
        }
        self.turn(by)

    def turn(self, by):
        """Set the clock ``by`` seconds off the true time."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{by:+d}\n")
        new.replace(self._file)
