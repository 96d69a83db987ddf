"""Ends a process whose event loop stands still: a mapping that never returns would keep everything else waiting.

What was in its hands is then taken for what it is, the work of a dead process: sent again, singly, and dead as poison
after three times.
"""

from __future__ import annotations

import asyncio
import faulthandler

STILL = 60.0
"""Seconds without a turn of the loop; it turns many times a second, and an honest attempt waits without holding it."""


async def watch() -> None:
    """Until cancelled. The end writes to stderr where each thread stood: files and lines, no values.

    By a thread of the interpreter that needs neither the loop nor the lock that a busy loop keeps.
    """
    try:
        while True:
            faulthandler.dump_traceback_later(STILL, exit=True)
            await asyncio.sleep(STILL / 20)
    finally:
        faulthandler.cancel_dump_traceback_later()
