"""What could not be taken as it came: ``/v1/rejections`` and ``/v1/snapshots``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from bus.engine.browse import inputs
from bus.engine.browse.paging import MOST
from bus.engine.browse.view import View, view_of
from bus.entrypoints.rejections_csv import csv_lines
from bus.entrypoints.wiring import Hub

from .auth import Operator, Reader
from .requests import Act, Cursor, Limit, Reading, TheHub, actor_of, documented, strict

router = APIRouter(tags=["inputs"])

Name = Annotated[str | None, Query(max_length=400)]
Reasoned = Annotated[Act, Depends(strict(Act))]


@router.get(
    "/v1/rejections",
    summary="Inputs that could not become messages; with Accept: text/csv all of them, to send back",
    response_model=None,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}}},
)
def rejections(
    hub: TheHub,
    connection: Reading,
    caller: Reader,
    system: Name = None,
    feed: Name = None,
    file: Name = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    accept: Annotated[str, Header(max_length=400)] = "",
) -> dict[str, Any] | Response:
    view = view_of(connection, caller)
    wanted = {"system": system, "feed": feed, "file": file}
    if "text/csv" in accept.lower():
        lines = csv_lines(_all(hub, view, wanted))
        headers = {"Content-Disposition": 'attachment; filename="rejections.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
    return inputs.rejected(connection, view, limit=limit, cursor=cursor, **wanted)


def _all(hub: Hub, view: View, wanted: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    """Page by page, with a connection for each: a slow reader holds no transaction open."""
    cursor: str | None = None
    while True:
        with hub.database.reads.connect() as connection:
            page = inputs.rejected(connection, view, limit=MOST, cursor=cursor, **wanted)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


@router.get("/v1/snapshots", summary="Snapshots that were held for a person")
def snapshots(
    connection: Reading,
    caller: Reader,
    state: Annotated[str | None, Query(max_length=20, description="held, approved, refused or replaced")] = None,
) -> dict[str, Any]:
    return {"items": inputs.held(connection, view_of(connection, caller), state=state), "next": None}


@router.post("/v1/snapshots/{id}/approve", summary="Let a held snapshot through", openapi_extra=documented(Act))
def approve(hub: TheHub, caller: Operator, id: str, act: Reasoned) -> dict[str, Any]:
    counts = hub.intake.approve(id, hub.catalogue.feed, actor=actor_of(caller), reason=act.reason)
    return {"id": id, "state": "approved", **asdict(counts)}


@router.post("/v1/snapshots/{id}/refuse", summary="Refuse a held snapshot", openapi_extra=documented(Act))
def refuse(hub: TheHub, caller: Operator, id: str, act: Reasoned) -> dict[str, Any]:
    hub.intake.refuse(id, actor=actor_of(caller), reason=act.reason)
    return {"id": id, "state": "refused"}
