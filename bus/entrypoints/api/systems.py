"""``/v1/systems``: who takes part, and the kill switch."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from bus.engine.browse.view import view_of
from bus.entrypoints import deeds

from .auth import Operator, Reader
from .requests import Act, Reading, TheHub, actor_of, documented, strict

router = APIRouter(tags=["systems"])

Reasoned = Annotated[Act, Depends(strict(Act))]


@router.get("/v1/systems", summary="Systems with their feeds and sinks")
def listed(hub: TheHub, connection: Reading, caller: Reader) -> dict[str, Any]:
    return {"items": deeds.systems(hub, connection, view_of(connection, caller)), "next": None}


@router.post("/v1/systems/{system}/pause", summary="After the answer no attempt starts", openapi_extra=documented(Act))
def pause(hub: TheHub, caller: Operator, system: str, act: Reasoned) -> dict[str, Any]:
    deeds.pause(hub, system, actor=actor_of(caller), reason=act.reason)
    return {"system": system, "paused": True}


@router.post("/v1/systems/{system}/resume", summary="Deliver again", openapi_extra=documented(Act))
def resume(hub: TheHub, caller: Operator, system: str, act: Reasoned) -> dict[str, Any]:
    deeds.resume(hub, system, actor=actor_of(caller), reason=act.reason)
    return {"system": system, "paused": False}
