"""The do-it-yourself solution's first half: a FastAPI endpoint that checks an event and makes a Celery task of it."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from .diy_worker import deliver


class Event(BaseModel):
    """The envelope; the data goes on as it came."""

    specversion: str
    id: str
    source: str
    type: str
    data: dict[str, Any]


def create() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/v1/messages", status_code=202)
    def accept(event: Event) -> dict[str, str]:
        # Publishing blocks, so it stands in a plain function, which FastAPI runs in its thread pool.
        deliver.delay(event.model_dump())
        return {"status": "accepted"}

    @app.get("/livez")
    def alive() -> None:
        """It answers."""

    return app


if __name__ == "__main__":
    uvicorn.run(create(), port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, log_level="warning")
