"""Back-pressure: who posts for a destination that is too far behind is asked to wait, and nobody else."""

from __future__ import annotations

import asyncio
from functools import cache

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bus.contract.errors import Problem, Refused
from bus.engine.backlog import Backlog
from bus.entrypoints.wiring import Hub

WAIT = 5
"""What ``Retry-After`` says: a backlog this long takes minutes to work off, but room for some comes at once."""


class BackPressure:
    """Asked for each request; the store is asked at most once a second, beside the requests."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._backlog = Backlog(hub.database, hub.routing)
        self._counting: asyncio.Future[None] | None = None
        self._types = cache(self._types_of)

    def check(self, system: str) -> None:
        """Raises Refused (429) where a destination of what ``system`` may post has a backlog at the limit."""
        if self._backlog.stale and (self._counting is None or self._counting.done()):
            self._counting = asyncio.get_running_loop().run_in_executor(None, self._count)
        if self._backlog.before(self._types(system)) >= self._hub.settings.max_backlog:
            detail = "a destination of your messages is too far behind; nothing was stored, send the same again later"
            raise Refused(Problem("backlog", "Too much is on its way", 429, detail), retry_after=WAIT)

    def _types_of(self, system: str) -> frozenset[str]:
        return self._hub.catalogue.types_of(system)

    def _count(self) -> None:
        try:
            self._backlog.count()
        except (DBAPIError, PoolTimeout):
            return  # the last count stands; a store that is away refuses by itself
