"""The load: a process of its own that posts for some seconds and prints what it got."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import orjson

SYSTEM = "e-procurement"
TYPE = "contract.appointment"
"""A type that no built-in route takes: on every side one message is one delivery."""

CONNECTIONS = 64
KEYS = 500
BATCH = 500


def event(run: str, number: int, keys: int) -> dict[str, Any]:
    """The ``number``-th event of a run: about one kilobyte, in one of ``keys`` lanes."""
    return {
        "specversion": "1.0",
        "id": f"{run}-{number}",
        "source": f"/systems/{SYSTEM}",
        "type": f"id.go.surabaya.{TYPE}.v1",
        "data": {
            "register": "tender",
            "code": f"{10_000_000_000 + number % keys}",
            "number": "000.3.2/288/SPPBJ/2026",
            "addendum": 0,
            "fiscal_year": 2026,
            "agency": "1.03.0.00.0.00.01.0000",
            "name": "Pemeliharaan jalan lingkungan " + "x" * 500,
            "final_price": f"{number}.00",
        },
    }


async def _post(
    session: aiohttp.ClientSession, url: str, until: float, kind: str, bodies: Iterator[bytes]
) -> list[float]:
    headers = {"Content-Type": "application/x-ndjson" if kind == "bulk" else "application/cloudevents+json"}
    taken: list[float] = []
    while time.monotonic() < until:
        body = next(bodies)
        began = time.monotonic()
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            if answer.status not in {200, 202}:
                raise RuntimeError(f"the server answered {answer.status}")
        taken.append(time.monotonic() - began)
    return taken


def _bodies(run: str, keys: int, size: int) -> Iterator[bytes]:
    number = 0
    while True:
        yield b"\n".join(orjson.dumps(event(run, number + line, keys)) for line in range(size))
        number += size


async def _run(urls: list[str], key: str, run: str, seconds: float, kind: str, keys: int) -> dict[str, float]:
    """What was posted and how fast; ``began`` is by the clock that all processes of a machine share."""
    size, width = (BATCH, 2) if kind == "bulk" else (1, CONNECTIONS)
    bodies = _bodies(run, keys, size)
    session = aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {key}"}, connector=aiohttp.TCPConnector(limit=width)
    )
    async with session:
        began = time.monotonic()
        posts = (_post(session, urls[one % len(urls)], began + seconds, kind, bodies) for one in range(width))
        parts = await asyncio.gather(*posts)
        spent = time.monotonic() - began
    taken = sorted(one for part in parts for one in part)
    count = len(taken) * size
    return {
        "messages": count,
        "began": began,
        "per_second": count / spent,
        "p50_ms": taken[len(taken) // 2] * 1000,
        "p95_ms": taken[len(taken) * 95 // 100] * 1000,
    }


if __name__ == "__main__":
    where, who, name, how_long, what, lanes = sys.argv[1:]
    found = asyncio.run(_run(where.split(","), who, name, float(how_long), what, int(lanes)))
    sys.stdout.write(json.dumps(found) + "\n")
