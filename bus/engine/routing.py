"""Which messages go where: the routes, and the subscriptions as routes of their own."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection, select

from bus.contract.message import Incoming
from bus.contract.route import Retry, Route

from .registers import subscriptions

SUBSCRIPTION = "sub:"
"""Prefix of a subscription's destination name: ``sub:<id>``."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one message goes, by which route. ``parents`` are (type, key, place); place None: the hub itself."""

    destination: str
    route: str
    on_dead_holds: bool
    parents: tuple[tuple[str, str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A live subscription as routing needs it."""

    destination: str
    system: str
    types: tuple[str, ...]

    def wants(self, short: str) -> bool:
        return any(fnmatchcase(short, pattern) for pattern in self.types)


class Routing:
    """The route table. Pure: it reads no database."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: Mapping[str, Route] = {route.name: route for route in routes}
        self._by_type: dict[str, list[Route]] = defaultdict(list)
        for route in self.routes.values():
            self._by_type[route.type].append(route)
        self._routed = {(route.type, route.destination) for route in self.routes.values()}
        self.parent_types = {parent.type for route in self.routes.values() for parent in route.parents}
        """Types whose arrival may release a waiting child."""

    def targets(self, item: Incoming, subscribers: Sequence[Subscriber]) -> list[Target]:
        """Every destination of ``item``; never the system that it came from."""
        found = [
            Target(
                route.destination,
                route.name,
                route.on_dead == "hold",
                () if item.op == "delete" else tuple(self.parents(route, item.data)),
            )
            for route in self._by_type[item.type]
            if route.destination != item.system and (item.op == "delete" or route.when(item.data))
        ]
        found.extend(
            Target(subscriber.destination, "subscription", True)
            for subscriber in subscribers
            if subscriber.system != item.system and subscriber.wants(item.type)
        )
        return found

    def parents(self, route: Route, data: Mapping[str, Any]) -> Iterable[tuple[str, str, str | None]]:
        """The records that must come before ``data`` on ``route``, each with the place where it must have arrived."""
        for parent in route.parents:
            key = parent.key(data)
            if key is not None:
                routed = (parent.type, route.destination) in self._routed
                yield parent.type, key, route.destination if routed else None

    def retry(self, route: str) -> Retry:
        known = self.routes.get(route)
        return known.retry if known else _SUBSCRIPTION_RETRY


_SUBSCRIPTION_RETRY = Retry()


@dataclass(slots=True)
class SubscriberList:
    """Live subscriptions, read inside the accepting transaction so that a new one misses nothing."""

    rows: list[Subscriber] = field(default_factory=list)

    @classmethod
    def read(cls, connection: Connection) -> SubscriberList:
        statement = select(subscriptions.c.id, subscriptions.c.system, subscriptions.c.types).where(
            subscriptions.c.removed_at.is_(None)
        )
        return cls(
            [
                Subscriber(SUBSCRIPTION + row.id, row.system, tuple(json.loads(row.types)))
                for row in connection.execute(statement)
            ]
        )
