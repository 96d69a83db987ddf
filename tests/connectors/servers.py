"""Simulators and other servers inside the test's own event loop, on a port of their own."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from connectors.kit.simulation import Faults, runner_of
from tests.contract.sink_contract import Misbehaviour

MODES: dict[Misbehaviour, str] = {
    "out of service": "unavailable",
    "busy": "429",
    "applies and breaks off": "reset_after_apply",
    "never answers": "hang",
    "says no in a good answer": "html",
    "answers nonsense": "not_json",
    "repeats what it was sent": "echo",
}


@dataclass
class Server:
    url: str
    stop: Callable[[], Awaitable[None]]


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[Server]:
    """``app`` on 127.0.0.1, until the block ends or ``stop`` is awaited."""
    runner = runner_of(app)
    await runner.setup()
    wire = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, wire).start()
    try:
        yield Server(f"http://127.0.0.1:{wire.getsockname()[1]}", runner.cleanup)
    finally:
        await runner.cleanup()


class Misbehaving:
    """The part of a bench that every simulator shares."""

    modes = MODES
    faults: Faults
    server: Server

    def misbehave(self, how: str) -> None:
        self.faults.order(self.modes[how])  # type: ignore[index]

    def heal(self) -> None:
        self.faults.heal()

    async def stop(self) -> None:
        await self.server.stop()
