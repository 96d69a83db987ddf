"""The yardstick: a FastAPI endpoint that parses one event and stores nothing, on the same server."""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, Request, Response


def create() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/v1/messages", status_code=202)
    async def accept(request: Request) -> Response:
        await request.json()
        return Response(b'{"status":"accepted"}', 202, media_type="application/json")

    @app.get("/livez")
    async def alive() -> Response:
        return Response()

    return app


if __name__ == "__main__":
    uvicorn.run(create(), port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, log_level="warning")
