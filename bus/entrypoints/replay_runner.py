"""Runs replays by filter in the background, each a portion at a time beside the others."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from sqlalchemy.exc import DBAPIError

from bus.engine import replay_jobs
from bus.engine.replay_jobs import Step
from bus.engine.writer import StoreUnavailable

from .wiring import Hub

LOOK = 0.5
"""Seconds between two looks for replays to run, and at most between two looks at one that waits for its rate."""

BREATH = 0.005
"""Seconds between two portions of one replay: whoever else writes comes between them."""


class ReplayRunner:
    """One process's runner. Two are harmless: a job belongs to the one that did its last portion."""

    def __init__(self, hub: Hub, owner: str) -> None:
        self._hub = hub
        self._owner = owner
        self._found: dict[str, tuple[list[int], int]] = {}
        """Of each job: deliveries that were found and not yet looked at, and where it stands when they are."""

    async def run(self) -> None:
        """Run until cancelled. A store that is away costs time, nothing else."""
        while True:
            try:
                await asyncio.sleep(await self.round())
            except (StoreUnavailable, DBAPIError):
                await asyncio.sleep(LOOK)

    async def round(self) -> float:
        """One portion of each replay; answers the seconds to wait for the next round."""
        jobs = await asyncio.to_thread(self._jobs)
        self._found = {job.id: self._found[job.id] for job in jobs if job.id in self._found}
        waits = [LOOK]
        for job in jobs:
            step = await self._portion(job)
            if step.going:
                waits.append(max(step.wait, BREATH))
        return min(waits)

    async def _portion(self, job: Any) -> Step:
        try:
            if job.id not in self._found:
                self._found[job.id] = await asyncio.to_thread(self._candidates, job)
            seqs, upto = self._found[job.id]
            now = self._hub.clock()
            advance = functools.partial(
                replay_jobs.advance, id=job.id, seqs=seqs, upto=upto, owner=self._owner, now=now
            )
            step = await self._hub.writer.run(advance)
        except (StoreUnavailable, DBAPIError):
            raise
        except Exception as error:  # noqa: BLE001 - one replay that cannot go on must not end the engine
            failed = functools.partial(replay_jobs.fail, id=job.id, error=type(error).__name__, now=self._hub.clock())
            await self._hub.writer.run(failed)
            return Step(going=False)
        if not step.going or step.cursor >= upto:
            self._found.pop(job.id, None)
        return step

    def _jobs(self) -> list[Any]:
        with self._hub.database.reads.connect() as connection:
            return replay_jobs.free(connection, self._owner, self._hub.clock())

    def _candidates(self, job: Any) -> tuple[list[int], int]:
        with self._hub.database.reads.connect() as connection:
            return replay_jobs.candidates(connection, job, job.cursor)
