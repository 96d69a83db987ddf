"""How much is on its way where: the measure by which the front asks posters to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

from sqlalchemy import Connection, func, select

from .database import Database
from .routing import Routing, SubscriberList
from .tables import OPEN, deliveries

ON_ITS_WAY = ("pending", "delivering", "retrying", "deferred")
"""What the hub works off by itself. The parked and the dead wait for others, whom a poster's waiting does not help."""

BY_DESTINATION = (
    select(deliveries.c.destination, func.count().label("number"))
    .where(OPEN, deliveries.c.state.in_(ON_ITS_WAY))
    .group_by(deliveries.c.destination)
)

FRESH = 1.0
"""Seconds for which a count is good enough."""

SHARE = 20
"""A count that took long is good for so many times as long: counting a huge backlog takes at most 1/20 of one core."""


class Backlog:
    """Counts at most once a second, and never in the way of who asks: he gets the last count at once."""

    def __init__(self, database: Database, routing: Routing, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._routing = routing
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._subscribers = SubscriberList()
        self._until = float("-inf")
        self._counting = threading.Lock()

    @property
    def stale(self) -> bool:
        return self._clock() >= self._until

    def before(self, types: Collection[str]) -> int:
        """The largest backlog, as last counted, of all destinations that messages of these types may go to."""
        names = {route.destination for route in self._routing.routes.values() if route.type in types}
        names |= {one.destination for one in self._subscribers.rows if any(map(one.wants, types))}
        return max((self._counts.get(name, 0) for name in names), default=0)

    def count(self) -> None:
        """Count anew, unless another thread is counting. Raises DBAPIError where the store is away."""
        if not self._counting.acquire(blocking=False):
            return
        try:
            began = self._clock()
            with self._database.reads.connect() as connection:
                self._counts = by_destination(connection)
                self._subscribers = SubscriberList.read(connection)
            ended = self._clock()
            self._until = ended + max(FRESH, (ended - began) * SHARE)
        finally:
            self._counting.release()


def by_destination(connection: Connection) -> dict[str, int]:
    return {row.destination: row.number for row in connection.execute(BY_DESTINATION)}
