"""A destination in a process of its own: takes structured CloudEvents, logs and syncs before it answers, misbehaves.

``python -m proof.destination JOURNAL [MOOD]`` prints ``{"url": …}`` and serves until its standard input ends.
``POST /`` takes an event; ``GET /`` tells how many came, had an effect, and were answered how; ``PUT /`` changes the
mood, and cuts the connections that the one before held.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from .journal import Journal
from .load import fingerprint, place_in_order

CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Mood:
    """How the destination misbehaves: shares of the attempts, drawn from a seed, the message and the attempt's number.

    ``unavailable`` answers 503 and ``busy`` 429, both without an effect; ``error`` answers 500, 502 or 504 and
    ``reset`` cuts the connection, both after the effect; ``hang`` does so only ``hang_seconds`` after it.
    ``stubborn`` is the share of the messages whose first ``stubborn_tries`` attempts are answered 429. So many
    attempts as ``hold`` says have their effect and then no answer, until the mood changes. Refusals carry one of
    ``retry_after``.
    """

    seed: int = 0
    unavailable: float = 0.0
    busy: float = 0.0
    error: float = 0.0
    reset: float = 0.0
    hang: float = 0.0
    hang_seconds: float = 2.0
    stubborn: float = 0.0
    stubborn_tries: int = 6
    hold: int = 0
    retry_after: tuple[str, ...] = ("1",)

    def whim(self, message: str, attempt: int) -> str:
        """What this attempt meets: ``well``, ``stubborn`` or one of the shares' names."""
        if attempt <= self.stubborn_tries and self._draw(message, 0) < self.stubborn:
            return "stubborn"
        drawn = self._draw(message, attempt)
        for name in ("unavailable", "busy", "error", "reset", "hang"):
            share: float = getattr(self, name)
            if drawn < share:
                return name
            drawn -= share
        return "well"

    def _draw(self, message: str, attempt: int) -> float:
        digest = hashlib.sha256(f"{self.seed}/{message}/{attempt}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64

    def encoded(self) -> str:
        """As the process takes it."""
        return orjson.dumps(asdict(self)).decode()


class Destination:
    """Honours ``Idempotency-Key``: one effect per key."""

    def __init__(self, journal: Journal, mood: Mood) -> None:
        self._journal = journal
        self._mood = mood
        self._let_go = asyncio.Event()
        self._held = 0
        self._seen: set[str] = set()
        self._attempts: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            counts = {"attempts": self._attempts.total(), "applied": len(self._seen), "answers": self._answers}
            return web.json_response(counts)
        body = await request.read()
        if request.method == "PUT":
            self._mood = read_mood(body)
            self._let_go.set()
            self._let_go = asyncio.Event()
            self._held = 0
            return web.Response(status=204)
        try:
            event, sort = orjson.loads(body), request.content_type
            key = request.headers["Idempotency-Key"]
            record = _record(event, key)
        except (KeyError, TypeError, ValueError) as error:
            await self._journal.put({"malformed": f"{type(error).__name__}: {error}"[:200]})
            return web.Response(status=400)
        if sort != CONTENT_TYPE:
            await self._journal.put({"malformed": f"content type {sort}"[:200]})
            return web.Response(status=415)
        return await self._take(request, record, key)

    async def _take(self, request: web.BaseRequest, record: dict[str, Any], key: str) -> web.StreamResponse:
        self._attempts[record["id"]] += 1
        attempt, mood = self._attempts[record["id"]], self._mood
        whim = "hold" if self._held < mood.hold else mood.whim(record["id"], attempt)
        self._held += whim == "hold"
        self._answers[whim] += 1
        refused = {"stubborn": 429, "busy": 429, "unavailable": 503}.get(whim)
        if refused is not None:
            await self._journal.put({**record, "attempt": attempt, "effect": "none", "answer": str(refused)})
            wait = mood.retry_after[attempt % len(mood.retry_after)]
            return web.Response(status=refused, headers={"Retry-After": wait})
        # Decided and logged without a pause in between: the log's order is the order of the effects.
        effect = "duplicate" if key in self._seen else "applied"
        self._seen.add(key)
        let_go = self._let_go
        status = {"well": 200, "error": (500, 502, 504)[attempt % 3]}.get(whim)
        answer = whim if status is None else str(status)
        await self._journal.put({**record, "attempt": attempt, "effect": effect, "answer": answer})
        if status is not None:
            return web.Response(status=status)
        await self._wait(whim, mood, let_go)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=200)

    async def _wait(self, whim: str, mood: Mood, let_go: asyncio.Event) -> None:
        if whim == "hang":
            await asyncio.sleep(mood.hang_seconds)
        elif whim == "hold":
            await let_go.wait()


def read_mood(encoded: bytes | str) -> Mood:
    """As ``Mood.encoded`` wrote it."""
    values = orjson.loads(encoded)
    return Mood(**{**values, "retry_after": tuple(values["retry_after"])})


def _record(event: Any, key: str) -> dict[str, Any]:
    """What the checker needs. Raises KeyError, TypeError or ValueError where it is no event of a load."""
    data = event["data"]
    return {
        "id": str(event["id"]),
        "idempotency_key": key,
        "key": str(event["subject"]),
        "sequence": int(event["sequence"]),
        "sha": fingerprint(data),
        "n": place_in_order(data),
    }


async def _main(journal: Path, mood: Mood) -> None:
    loop = asyncio.get_running_loop()
    parent_gone = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(parent_gone), sys.stdin)
    async with Journal(journal) as log:
        runner = web.ServerRunner(web.Server(Destination(log, mood).serve, access_log=None))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        sys.stdout.write(orjson.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}/"}).decode() + "\n")
        sys.stdout.flush()
        await parent_gone.read()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), read_mood(sys.argv[2]) if len(sys.argv) > 2 else Mood()))
