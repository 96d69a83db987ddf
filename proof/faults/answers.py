"""Destinations that answer badly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from proof.hub import PAUSE_SECONDS
from proof.scene import Scene, now

from .fault import PATIENCE, Fault


@dataclass(frozen=True)
class BadAnswers(Fault):
    """The destination is in another mood until it has answered so ``times`` times."""

    mood: dict[str, Any] = field(default_factory=dict)
    whim: str = ""
    times: int = 20

    async def strike(self, scene: Scene) -> None:
        at = now()
        before = (await scene.receiver.answers()).get(self.whim, 0)
        await scene.receiver.change(replace(scene.mood, **self.mood))
        count = 0
        with scene.progress.feeding():
            while count < self.times and now() < at + PATIENCE:
                await asyncio.sleep(PAUSE_SECONDS)
                count = (await scene.receiver.answers()).get(self.whim, 0) - before
        await scene.receiver.change(scene.mood)
        number = await scene.began(self, hit=count >= self.times, at=at, count=count)
        await scene.hub.ready()
        await scene.ended(number)


WAITS = ("1", "-5", "Thu, 01 Jan 1970 00:00:00 GMT", "soon")
"""What a 429 asks for: a second, less than nothing, a time long past, no time at all."""

ANSWERS: tuple[Fault, ...] = (
    BadAnswers("F28", "503", mood={"unavailable": 0.2}, whim="unavailable"),
    BadAnswers("F28", "500, 502, 504 after applying", mood={"error": 0.2}, whim="error"),
    BadAnswers("F29", "429 with odd Retry-After", mood={"busy": 0.2, "retry_after": WAITS}, whim="busy"),
    BadAnswers(
        "F37", "five refusals of a message, later ones wait", mood={"stubborn": 0.1, "stubborn_tries": 5},
        whim="stubborn", times=40,
    ),
)  # fmt: skip
