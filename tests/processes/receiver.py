"""A subscriber: it keeps every request, and answers as it is told."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True)
class Received:
    headers: dict
    body: bytes

    @property
    def event(self):
        return json.loads(self.body)

    @property
    def key(self):
        return self.headers["Idempotency-Key"]

    def signed_with(self, secret):
        """Standard Webhooks, by its specification: base64 of HMAC-SHA256 over ``id.timestamp.body``."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return f"v1,{wanted}" in self.headers["webhook-signature"].split()


class Receiver:
    """``answers`` are the statuses to give first, then 204; while ``free`` is unset every answer waits."""

    def __init__(self):
        self.received = []
        self.answers = []
        self.free = asyncio.Event()
        self.free.set()
        self.url = ""
        self._runner = None

    async def start(self):
        app = web.Application()
        app.add_routes([web.post("/hook", self._receive)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def close(self):
        self.free.set()
        await self._runner.cleanup()

    async def _receive(self, request):
        self.received.append(Received(dict(request.headers), await request.read()))
        status = self.answers.pop(0) if self.answers else 204
        await self.free.wait()
        return web.Response(status=status)

    @property
    def ids(self):
        return [one.event["id"] for one in self.received]


@contextlib.asynccontextmanager
async def receiving():
    """A subscriber that ends with the block."""
    receiver = Receiver()
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.close()
