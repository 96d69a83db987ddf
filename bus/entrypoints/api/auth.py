"""Who calls: Bearer keys. A key is asked for in the store at most a few times a second, whatever the load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bus.contract.errors import Problem, Refused
from bus.engine import registry
from bus.engine.database import Database
from bus.engine.registry import Identity

from .problems import store_unavailable

REMEMBERED = 0.05
"""Seconds for which an answer of the store is used again: a revoked key fails by then, in every process."""

_MOST = 4096
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class _Known:
    until: float
    answer: asyncio.Future[Identity | None]


class Doorkeeper:
    """Identifies callers. ``forget`` makes it ask the store again for every key."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] = {}

    def forget(self) -> None:
        self._known.clear()

    async def identify(self, authorization: str | None) -> Identity:
        """The holder of the key in an ``Authorization`` header. Raises Refused (401, 503)."""
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key or len(key) > _LONGEST_KEY or not key.isascii():
            raise _unauthorized("send a key: Authorization: Bearer <key>")
        identity = await self._ask(key)
        if identity is None:
            raise _unauthorized("the key is not known, or was revoked")
        return identity

    async def _ask(self, key: str) -> Identity | None:
        name = registry.hash_of(key)
        known = self._known.get(name)
        now = time.monotonic()
        if known is None or (known.answer.done() and known.until <= now):
            if len(self._known) >= _MOST:
                self._known.clear()
            loop = asyncio.get_running_loop()
            known = _Known(now + REMEMBERED, loop.run_in_executor(None, self._look_up, key))
            self._known[name] = known
        try:
            return await asyncio.shield(known.answer)
        except (DBAPIError, PoolTimeout):
            self._known.pop(name, None)
            raise store_unavailable() from None

    def _look_up(self, key: str) -> Identity | None:
        with self._database.reads.connect() as connection:
            return registry.identify(connection, key)


def check_scope(identity: Identity, scope: str) -> None:
    if not identity.may(scope):
        detail = f"this needs a key with the scope {scope}"
        raise Refused(Problem("insufficient-scope", "Not allowed", 403, detail))


def _unauthorized(detail: str) -> Refused:
    return Refused(Problem("unauthorized", "Not authorized", 401, detail))


def needs(scope: str | None) -> Callable[[Request], Awaitable[Identity]]:
    """A dependency: the caller, who has ``scope`` (None: whoever has a key)."""

    async def caller(request: Request) -> Identity:
        doorkeeper: Doorkeeper = request.app.state.doorkeeper
        identity = await doorkeeper.identify(request.headers.get("authorization"))
        if scope is not None:
            check_scope(identity, scope)
        return identity

    return caller


anyone = Depends(needs(None))

Reader = Annotated[Identity, Depends(needs("read"))]
Operator = Annotated[Identity, Depends(needs("operate"))]
