"""Posts a load to a hub, each key strictly in order, and keeps a synced log of what was asked and answered."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import orjson

from .journal import Journal
from .load import Load, Posting

STRUCTURED = "application/cloudevents+json"
NDJSON = "application/x-ndjson"

ANSWER_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.8
"""Seconds between two tries of the same messages, doubling: a hub that starts again needs the machine more."""


@dataclass(frozen=True, slots=True)
class End:
    """How one try of one message ended. ``info``: nobody knows whether it was taken."""

    event: Literal["ok", "fail", "info"]
    answer: str


@dataclass(frozen=True, slots=True)
class Manner:
    """How the load is posted: so many posters of single events, so many of NDJSON with ``batch`` events each."""

    single: int = 8
    bulk: int = 3
    batch: int = 64


class Poster:
    """The next message of a key goes out after the answer to the one before; what is in doubt is sent again as it was.

    Tries go to the addresses in turn. Nothing new is posted while ``room`` is not set: a load that runs far ahead of
    its deliveries proves little of them.
    """

    def __init__(
        self, urls: Sequence[str], key: str, load: Load, journal: Journal, manner: Manner, room: asyncio.Event
    ) -> None:
        self._urls = itertools.cycle([f"{url}/v1/messages" for url in urls])
        self._headers = {"Authorization": f"Bearer {key}"}
        self._load = load
        self._journal = journal
        self._manner = manner
        self._room = room
        self._ready: asyncio.Queue[tuple[int, int] | None] = asyncio.Queue()
        self._left = load.messages
        self._finishing = False
        self.acknowledged = 0

    async def run(self) -> None:
        """Post until every message, or every one begun at ``finish``, has had its final answer."""
        for key in self._load.order():
            self._ready.put_nowait((key, 1))
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=self._headers) as session:
            sizes = [1] * self._manner.single + [self._manner.batch] * self._manner.bulk
            tasks = [asyncio.create_task(self._work(session, size)) for size in sizes]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def finish(self) -> None:
        """Begin no further message."""
        self._finishing = True
        self._ready.put_nowait(None)
        self._room.set()

    async def _work(self, session: aiohttp.ClientSession, size: int) -> None:
        while turns := await self._turns(size):
            await self._settle(session, turns, bulk=size > 1)

    async def _turns(self, size: int) -> list[tuple[int, int]]:
        """The next messages to post, at most ``size``; none: it is over."""
        if not self._finishing:
            await self._room.wait()
        turns: list[tuple[int, int]] = []
        while not turns or (len(turns) < size and not self._ready.empty()):
            turn = await self._ready.get()
            if turn is None or self._finishing:
                self._ready.put_nowait(None)  # for the others
                break
            turns.append(turn)
        return turns

    async def _settle(self, session: aiohttp.ClientSession, turns: Sequence[tuple[int, int]], *, bulk: bool) -> None:
        """Post these messages, and again what stays in doubt, until each has its final answer."""
        doubtful = [(key, self._load.posting(key, n)) for key, n in turns]
        tries = 0
        while doubtful:
            tries += 1
            ends = await self._try(session, [posting for _, posting in doubtful], tries, bulk=bulk)
            again = []
            for (key, posting), end in zip(doubtful, ends, strict=True):
                if end.event == "info":
                    again.append((key, posting))
                else:
                    self._next(key, posting.n, end)
            doubtful = again
            if doubtful:
                await asyncio.sleep(min(FIRST_PAUSE * 2 ** min(tries - 1, 8), LONGEST_PAUSE))

    async def _try(
        self, session: aiohttp.ClientSession, postings: Sequence[Posting], tries: int, *, bulk: bool
    ) -> list[End]:
        await self._note(
            {"event": "invoke", "id": one.id, "key": one.key, "n": one.n, "sha": one.sha, "try": tries}
            for one in postings
        )
        ends = await (_bulk if bulk else _single)(session, next(self._urls), postings)
        await self._note(
            {"event": end.event, "id": one.id, "answer": end.answer} for one, end in zip(postings, ends, strict=True)
        )
        return ends

    async def _note(self, records: Iterable[dict[str, Any]]) -> None:
        """On disk before the next step, which rests on it."""
        await asyncio.gather(*{self._journal.put(record) for record in records})

    def _next(self, key: int, n: int, end: End) -> None:
        self.acknowledged += end.event == "ok"
        self._left -= 1
        if n < self._load.length(key):
            self._ready.put_nowait((key, n + 1))
        if self._left == 0:
            self.finish()


async def _single(session: aiohttp.ClientSession, url: str, postings: Sequence[Posting]) -> list[End]:
    status, document = await _post(session, url, postings[0].body, STRUCTURED)
    return [_meaning(status, document)]


async def _bulk(session: aiohttp.ClientSession, url: str, postings: Sequence[Posting]) -> list[End]:
    """One NDJSON body; each line has its own result."""
    status, document = await _post(session, url, b"\n".join(one.body for one in postings), NDJSON)
    if status != 200:
        return [_meaning(status, document)] * len(postings)
    if not isinstance(document, list) or [item.get("id") for item in document] != [one.id for one in postings]:
        return [End("fail", "200 with results that do not match the lines")] * len(postings)
    return [End("ok" if item["status"] in {"accepted", "duplicate"} else "fail", item["status"]) for item in document]


async def _post(session: aiohttp.ClientSession, url: str, body: bytes, content_type: str) -> tuple[int, Any]:
    """The status and the JSON answer; status 0 and words where no whole answer came."""
    try:
        async with session.post(url, data=body, headers={"Content-Type": content_type}) as response:
            return response.status, orjson.loads(await response.read())
    except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError) as error:
        return 0, type(error).__name__


def _meaning(status: int, document: Any) -> End:
    if status == 0:
        return End("info", document)
    if status in {200, 202}:
        return End("ok", str(document.get("status")) if isinstance(document, dict) else str(status))
    # 429 says that it was not taken and asks for the same again, as 503 does.
    return End("info" if status == 429 or status >= 500 else "fail", str(status))
