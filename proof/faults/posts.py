"""Posters that say the same thing twice, or something else under a known id."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
import orjson

from proof.load import Posting
from proof.scene import Scene, now

from .fault import PATIENCE, Fault


@dataclass(frozen=True)
class Again(Fault):
    """One message posted ``at_once`` times at the same moment, and then with another content under its id.

    Its key is not among those of the load, so that the poster's order there stays simple.
    """

    at_once: int = 1

    async def strike(self, scene: Scene) -> None:
        at = now()
        posting = scene.load.posting(scene.load.keys + scene.struck, 1)
        changed = orjson.loads(posting.body)
        changed["data"]["description"] = "isi lain"
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {scene.poster_key}"}) as session:
            answers: list[str] = []
            # A fault before this one may still be felt: the poster repeats until it knows.
            while not {"accepted", "duplicate"} & set(answers[-self.at_once :]) and now() < at + PATIENCE:
                answers += await asyncio.gather(*(_post(scene, session, posting, turn) for turn in range(self.at_once)))
            other = await _tell(scene.hub.urls[0], session, orjson.dumps(changed))
        await scene.client.put({"event": "other", "id": posting.id, "answer": other})
        number = await scene.began(
            self, hit="duplicate" in answers or self.at_once == 1, at=at, id=posting.id, other=other
        )
        await scene.hub.ready()
        await scene.ended(number)


async def _post(scene: Scene, session: aiohttp.ClientSession, one: Posting, turn: int) -> str:
    await scene.client.put({"event": "invoke", "id": one.id, "key": one.key, "n": one.n, "sha": one.sha, "try": 1})
    urls = scene.hub.urls
    answer = await _tell(urls[turn % len(urls)], session, one.body)
    event = "ok" if answer in {"accepted", "duplicate"} else "info" if answer == "0" else "fail"
    await scene.client.put({"event": event, "id": one.id, "answer": answer})
    return answer


async def _tell(url: str, session: aiohttp.ClientSession, body: bytes) -> str:
    """``accepted``, ``duplicate``, the status of a refusal, or 0: nobody knows."""
    headers = {"Content-Type": "application/cloudevents+json"}
    try:
        async with session.post(f"{url}/v1/messages", data=body, headers=headers) as answer:
            document = orjson.loads(await answer.read())
            if answer.status >= 500 or answer.status == 429:
                return "0"
            return str(document["status"]) if answer.ok else str(answer.status)
    except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError):
        return "0"


POSTS: tuple[Fault, ...] = (
    Again("F34", "one message posted 50 times at once", at_once=50, quiet=True),
    Again("F35", "another content under a known id", quiet=True),
)
