"""The HTTP front of an open hub."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI
from starlette.routing import Route

from bus.entrypoints.wiring import Hub
from monitoring.metrics import tally

from . import health, inputs, messages, openapi, problems, records, replays, requests, subscriptions, systems, waiting
from .auth import Doorkeeper
from .door import Door
from .refusals import RefusalCounter


def create_app(hub: Hub) -> FastAPI:
    """The ASGI application. It closes nothing of ``hub``; with lifespan it writes its last counts at the end.

    From ``app.state.leaving`` on it says that it is not ready, and does its work as before.
    """
    refusals = RefusalCounter(hub.writer, tally)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await refusals.close()

    app = FastAPI(
        title=openapi.TITLE,
        version=version("arus-hub"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.hub = hub
    app.state.leaving = threading.Event()
    app.state.readers = asyncio.Semaphore(requests.READERS)
    app.state.doorkeeper = Doorkeeper(hub.database)
    # First in the list, so that a message is matched at once; other methods of the address go on to FastAPI.
    app.router.routes.insert(0, Route("/v1/messages", Door(hub, app.state.doorkeeper, refusals), methods=["POST"]))
    for resource in (messages, subscriptions, waiting, replays, inputs, systems, records, health):
        app.include_router(resource.router)
    problems.install(app)
    openapi.install(app)
    return app
