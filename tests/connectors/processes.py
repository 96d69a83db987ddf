"""Simulators as processes of their own."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager


@asynccontextmanager
async def started(module, *arguments):
    """``(process, url)`` once it has printed where it answers; ended by its process id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--port", "0", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        line = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        yield process, line["url"]
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 10)
