"""A destination that answers at once: what is measured is the hub."""

from __future__ import annotations

import sys

from aiohttp import web


def create() -> web.Application:
    count = {"received": 0}

    async def receive(request: web.Request) -> web.Response:
        await request.read()
        count["received"] += 1
        return web.Response(status=204)

    async def received(_request: web.Request) -> web.Response:
        return web.json_response(count)

    app = web.Application()
    app.add_routes([web.post("/hook", receive), web.get("/received", received)])
    return app


if __name__ == "__main__":
    web.run_app(create(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
