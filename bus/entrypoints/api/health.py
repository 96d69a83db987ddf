"""``/livez /readyz /metrics``: for whoever watches the hub."""

from __future__ import annotations

import asyncio
import ipaddress
from functools import partial

from fastapi import APIRouter, Request
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from bus.contract.errors import Problem, Refused
from bus.engine import readiness
from bus.engine.browse import gauges
from bus.engine.store_faults import DiskFull, StoreUnavailable
from bus.entrypoints.wiring import Hub
from monitoring.exposition import CONTENT_TYPE, Readings, render

from .auth import Doorkeeper, check_scope
from .requests import TheHub, hub_of

router = APIRouter(tags=["health"])

PROBE_SECONDS = 3.0


@router.get("/livez", summary="The process answers")
async def live() -> dict[str, str]:
    return {"status": "live"}


@router.get("/readyz", summary="The store takes writes, its schema is current, and the process is not about to end")
async def ready(request: Request) -> JSONResponse:
    if request.app.state.leaving.is_set():
        raise _not_ready("this process is about to end: ask another")
    hub = hub_of(request)
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await run_in_threadpool(readiness.look_for_room, hub.database)
            await hub.writer.run(partial(readiness.probe, now=hub.clock()))
            current = await run_in_threadpool(_schema_is_current, hub)
    except DiskFull:
        raise _not_ready("the disk of the store is full: make room, nothing needs a restart") from None
    except (StoreUnavailable, DBAPIError, TimeoutError, OSError):
        raise _not_ready("the store cannot be written now") from None
    if not current:
        raise _not_ready("the store's schema is not the one that this version knows: run arus db upgrade")
    return JSONResponse({"status": "ready"})


def _schema_is_current(hub: Hub) -> bool:
    with hub.database.reads.connect() as connection:
        return readiness.revision(connection) == readiness.head()


def _not_ready(detail: str) -> Refused:
    return Refused(Problem("not-ready", "Not ready", 503, detail), retry_after=2)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(request: Request, hub: TheHub) -> Response:
    if not _from_here(request):
        doorkeeper: Doorkeeper = request.app.state.doorkeeper
        check_scope(await doorkeeper.identify(request.headers.get("authorization")), "read")
    return Response(await run_in_threadpool(exposition, hub), media_type=CONTENT_TYPE)


def exposition(hub: Hub) -> bytes:
    def read() -> Readings:
        with hub.database.reads.connect() as connection:
            found = gauges.read(connection, hub.clock())
        return Readings(found.counters, found.gauges)

    return render(read)


def _from_here(request: Request) -> bool:
    """From this machine itself. What a proxy passes on is not, wherever the proxy runs."""
    if request.client is None or {"x-forwarded-for", "forwarded"} & set(request.headers.keys()):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
