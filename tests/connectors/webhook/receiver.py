"""A subscriber as Standard Webhooks would have it: verifies, honours the Idempotency-Key, counts its effects."""

import base64
import hashlib
import hmac
from collections import Counter
from typing import Any

import orjson
from aiohttp import web

from connectors.kit.simulation import Faults

SECRET = "whsec_" + base64.b64encode(b"a-secret-of-the-test").decode()


class Receiver:
    def __init__(self) -> None:
        self.faults = Faults()
        self.effects: Counter[str] = Counter()
        self.requests: list[tuple[dict[str, str], bytes]] = []

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        app.add_routes([web.post("/terima", self.take)])
        return app

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        name, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        expected = base64.b64encode(
            hmac.new(key, f"{name}.{moment}.".encode() + body, hashlib.sha256).digest()
        ).decode()
        if request.headers["webhook-signature"] != "v1," + expected:
            return web.Response(status=401)
        event: dict[str, Any] = orjson.loads(body)
        if event["data"].get("uraian") == "tidak sah":
            return web.Response(status=422)
        idempotency_key = request.headers["Idempotency-Key"]
        if idempotency_key not in self.effects:
            self.effects[idempotency_key] += 1
        return web.Response(text="terima kasih")
