"""The load: a process of its own that posts for some seconds and prints what it got."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp
import orjson

CONNECTIONS = 64
KEYS = 500
BATCH = 500


def _event(run: str, number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{run}-{number}",
        "source": "/systems/e-budgeting",
        "type": "id.go.surabaya.budget.line.v1",
        "data": {
            "fiscal_year": 2026,
            "agency": "1.03.0.00.0.00.01.0000",
            "activity": f"1.03.10.2.01.{number % KEYS:04d}",
            "account": "5.1.02.01.01.0024",
            "amount": f"{number}.00",
            "description": "Pemeliharaan jalan lingkungan " + "x" * 500,
        },
    }


async def _post(
    session: aiohttp.ClientSession, url: str, key: str, run: str, until: float, bulk: bool, numbers: Any
) -> list[float]:
    kind = "application/x-ndjson" if bulk else "application/cloudevents+json"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind}
    taken: list[float] = []
    while time.monotonic() < until:
        size = BATCH if bulk else 1
        body = b"\n".join(orjson.dumps(_event(run, next(numbers))) for _ in range(size))
        began = time.monotonic()
        async with session.post(url, data=body, headers=headers) as answer:
            await answer.read()
            if answer.status not in {200, 202}:
                raise RuntimeError(f"the server answered {answer.status}")
        taken.append(time.monotonic() - began)
    return taken


async def _run(url: str, key: str, run: str, seconds: float, bulk: bool) -> dict[str, float]:
    numbers = iter(range(10**9))
    width = 2 if bulk else CONNECTIONS
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=width)) as session:
        began = time.monotonic()
        until = began + seconds
        parts = await asyncio.gather(*(_post(session, url, key, run, until, bulk, numbers) for _ in range(width)))
        spent = time.monotonic() - began
    taken = sorted(one for part in parts for one in part)
    count = len(taken) * (BATCH if bulk else 1)
    return {
        "messages": count,
        "per_second": count / spent,
        "p50_ms": taken[len(taken) // 2] * 1000,
        "p95_ms": taken[len(taken) * 95 // 100] * 1000,
    }


if __name__ == "__main__":
    found = asyncio.run(_run(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), sys.argv[5] == "bulk"))
    sys.stdout.write(json.dumps(found) + "\n")
