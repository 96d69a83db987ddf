"""What every simulator needs: a journal of its own, faults on command, and a start that prints its address.

A simulator stands for a foreign system, so this file knows nothing of the hub either.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import orjson
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MODE = web.RequestKey("mode", str)
"""The simulator's own fault mode that a request has met; absent where none."""

LOGIN_PAGE = "<!DOCTYPE html><html><body><form>Silakan masuk / Please log in</form></body></html>"


def dumps(value: Any) -> bytes:
    """JSON in which Decimals are exact numbers."""
    return orjson.dumps(value, default=_plain)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=dumps(value), status=status, headers=headers, content_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f").encode())
    raise TypeError(type(value).__name__)


class Journal:
    """What a simulator has applied, one JSON document a line; a torn last line is as if never written."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def replay(self) -> Iterator[dict[str, Any]]:
        """The entries written before, then open for appending."""
        if self._path is None:
            return
        good = 0
        if self._path.exists():
            for line in self._path.read_bytes().splitlines(keepends=True):
                if not line.endswith(b"\n"):
                    break
                good += len(line)
                yield json.loads(line, parse_float=Decimal)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        self._file.truncate(good)

    def append(self, entry: dict[str, Any]) -> None:
        """Handed to the operating system before the answer leaves: it survives the end of the process."""
        if self._file is not None:
            self._file.write(dumps(entry) + b"\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Faults:
    """Misbehaviour on command: ``POST /kendali/gagal {"mode", "times"}`` for the next requests, -1 for all of them.

    ``POST /kendali/pulih`` ends it. Modes: ``unavailable`` (503), ``429``, ``hang`` (no answer), ``slow`` (applied,
    answered one byte at a time), ``reset`` (closed without applying), ``reset_after_apply``, ``500``,
    ``500_after_apply``, ``html`` (a log-in page with 200), ``empty``, ``truncated``, ``not_json``, ``compressed``,
    ``redirect``, ``echo`` (422 that repeats the request's headers), any status number, and those that the simulator
    adds (``own``); paths that begin as ``spared`` are left alone. ``wait`` is the Retry-After to give.
    """

    def __init__(self, *own: str, spared: tuple[str, ...] = ()) -> None:
        self.own = own
        self._spared = ("/kendali/", *spared)
        self.mode = ""
        self.times = 0
        self.wait = "1"
        self.requests = 0
        self.inside = 0
        """Requests that are being held right now."""
        self._healed = asyncio.Event()

    def routes(self, status: Callable[[], dict[str, Any]]) -> list[web.RouteDef]:
        async def fail(request: web.Request) -> web.Response:
            order = await request.json()
            self.order(str(order["mode"]), int(order.get("times", 1)), str(order.get("wait", "1")))
            return json_response({"mode": self.mode, "times": self.times})

        async def mend(_request: web.Request) -> web.Response:
            self.heal()
            return json_response({"mode": ""})

        async def show(_request: web.Request) -> web.Response:
            return json_response({**status(), "permintaan": self.requests, "ditahan": self.inside})

        return [
            web.post("/kendali/gagal", fail),
            web.post("/kendali/pulih", mend),
            web.get("/kendali/status", show),
        ]

    def order(self, mode: str, times: int = -1, wait: str = "1") -> None:
        self.mode, self.times, self.wait = mode, times, wait
        self._healed.clear()

    def heal(self) -> None:
        self.mode, self.times = "", 0
        self._healed.set()

    def take(self) -> str:
        """The mode of this request, counted off."""
        if not self.mode or self.times == 0:
            return ""
        if self.times > 0:
            self.times -= 1
        return self.mode

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(self._spared):
            return await handler(request)
        self.requests += 1
        mode = self.take()
        if mode in self.own:
            request[MODE] = mode
            return await handler(request)
        return await self._misbehave(mode, request, handler) if mode else await handler(request)

    async def _misbehave(self, mode: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        await request.read()
        if mode in {"slow", "reset_after_apply", "500_after_apply", "truncated", "compressed"}:
            answer = await handler(request)
            return await self._spoil(mode, request, answer)
        if mode == "hang":
            await self._hold()
        if mode in {"hang", "reset"}:
            return _cut(request)
        return self._plain_fault(mode, request)

    def _plain_fault(self, mode: str, request: web.Request) -> web.StreamResponse:
        again = {"Retry-After": self.wait}
        if mode == "html":
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if mode == "empty":
            return web.Response()
        if mode == "not_json":
            return web.Response(text='{"status": "ok', content_type="application/json")
        if mode == "redirect":
            return web.Response(status=307, headers={"Location": str(request.url.with_path("/lain"))})
        if mode == "echo":
            return json_response({"kode": "DITOLAK", "pesan": repeated(request)}, 422)
        status = 503 if mode == "unavailable" else int(mode)
        return web.Response(status=status, headers=again if status in {429, 503} else None)

    async def _spoil(self, mode: str, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
        if mode == "reset_after_apply":
            return _cut(request)
        if mode == "500_after_apply":
            return web.Response(status=500)
        if mode == "compressed":
            return web.Response(
                body=b"\x1f\x8b" + body, headers={"Content-Encoding": "gzip"}, content_type="application/json"
            )
        slowly = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
        slowly.content_length = len(body)
        await slowly.prepare(request)
        await slowly.write(body[: len(body) // 2])
        if mode == "slow":
            await self._hold()
        return _cut(request)

    async def _hold(self) -> None:
        """Until the other side gives up (the handler is cancelled then) or the fault is healed."""
        self.inside += 1
        try:
            await self._healed.wait()
        finally:
            self.inside -= 1


def repeated(request: web.Request) -> str:
    """What a careless error page repeats: the credentials first, so that no shortening hides them."""
    return f"{request.headers.get('Authorization', '')} {dict(request.headers)}"


def _cut(request: web.Request) -> web.StreamResponse:
    """Close the connection with a reset instead of an answer."""
    transport = request.transport
    if transport is not None:
        wire: socket.socket | None = transport.get_extra_info("socket")
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)


def runner_of(app: web.Application) -> web.AppRunner:
    """A runner whose handlers end with their connection, and that stops at once."""
    return web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.5, access_log=None)


def run(make_app: Callable[[argparse.Namespace], web.Application], parser: argparse.ArgumentParser) -> None:
    """Serve until SIGTERM or SIGINT; prints one JSON line ``{"port", "url"}`` once it answers."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--state", type=Path, help="journal of what it holds; absent: kept in memory")
    parser.add_argument("--with-parent", action="store_true", help="end when the starting process ends")
    options = parser.parse_args()
    asyncio.run(_serve(make_app(options), options))


async def _serve(app: web.Application, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    parent = os.getppid()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = runner_of(app)
    await runner.setup()
    wire = socket.create_server((options.host, options.port))
    await web.SockSite(runner, wire).start()
    port = wire.getsockname()[1]
    os.write(1, orjson.dumps({"port": port, "url": f"http://{options.host}:{port}"}) + b"\n")
    while not stop.is_set() and not (options.with_parent and os.getppid() != parent):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)
    await runner.cleanup()
