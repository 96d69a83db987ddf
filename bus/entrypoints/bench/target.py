"""A destination that answers at once: what is measured is who delivers."""

from __future__ import annotations

import sys
import time

from aiohttp import web


def create() -> web.Application:
    """``POST /hook/<name>`` counts; ``GET /received`` tells by name how many came, and when the last one did."""
    received: dict[str, tuple[int, float]] = {}

    async def receive(request: web.Request) -> web.Response:
        await request.read()
        name = request.match_info["name"]
        received[name] = received.get(name, (0, 0.0))[0] + 1, time.monotonic()
        return web.Response(status=204)

    async def tell(_request: web.Request) -> web.Response:
        return web.json_response(received)

    app = web.Application()
    app.add_routes([web.post("/hook/{name}", receive), web.get("/received", tell)])
    return app


if __name__ == "__main__":
    web.run_app(create(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
