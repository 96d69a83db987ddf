"""``/v1/records`` and ``/v1/schemas``: the canonical records, and what each type is made of."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from bus.contract.message import full_type
from bus.engine.browse import records
from bus.engine.browse.view import view_of

from . import problems
from .auth import Reader, anyone
from .requests import Reading, TheHub, known_type

router = APIRouter(tags=["records"])


@router.get("/v1/records/{type}/{key:path}", summary="A record, its versions and its replicas")
def record(hub: TheHub, connection: Reading, caller: Reader, request: Request, type: str, key: str) -> dict[str, Any]:
    view = view_of(connection, caller)
    kind = known_type(hub, type)
    for candidate in (key, _verbatim(request)):
        found = records.record(connection, view, kind, candidate)
        if found is not None:
            return found
    raise problems.not_found("record")


def _verbatim(request: Request) -> str:
    """The key as it stands in the address: keys are percent-encoded themselves, and callers paste them in."""
    raw: bytes = request.scope.get("raw_path") or b""
    return raw.decode("latin-1").partition("?")[0].partition("/v1/records/")[2].partition("/")[2]


@router.get("/v1/schemas", summary="Every canonical type", dependencies=[anyone])
def schemas(hub: TheHub) -> dict[str, Any]:
    items = [
        {
            "type": full_type(short),
            "short": short,
            "key": list(model.KEY),
            "feeds": hub.catalogue.feeds_of(short),
            "schema": f"/v1/schemas/{short}",
        }
        for short, model in sorted(hub.catalogue.types.items())
    ]
    return {"items": items, "next": None}


@router.get("/v1/schemas/{type}", summary="JSON Schema of a type, by its short or full name", dependencies=[anyone])
def schema(hub: TheHub, type: str) -> JSONResponse:
    return JSONResponse(hub.catalogue.schema(known_type(hub, type)), media_type="application/schema+json")
