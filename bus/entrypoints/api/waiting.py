"""What waits or failed, and the acts of a person on one: parked, failures, resolve, replay."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints

from bus.engine.browse import deliveries
from bus.engine.browse.failures import failures as failures_by_cause
from bus.engine.browse.view import view_of
from bus.entrypoints import deeds

from .auth import Operator, Reader
from .requests import Act, Body, Cursor, Limit, Reading, TheHub, actor_of, documented, strict

router = APIRouter(tags=["operating"])

Name = Annotated[str | None, Query(max_length=80)]


class Resolution(Body):
    """``as``: it was delivered after all, shall be tried again, or is given up."""

    verdict: Literal["delivered", "retry", "discard"] = Field(alias="as")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Again(Act):
    """``overwrite``: send even where the destination would get an older version than the newest."""

    overwrite: bool = False


@router.get("/v1/parked", summary="Deliveries that wait for something named, oldest first")
def parked(
    connection: Reading,
    caller: Reader,
    destination: Name = None,
    reason: Name = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    return deliveries.standing(
        connection,
        view_of(connection, caller),
        ("parked",),
        limit=limit,
        cursor=cursor,
        destination=destination,
        reason=reason,
    )


@router.get("/v1/failures", summary="Failures grouped by cause")
def failures(connection: Reading, caller: Reader) -> dict[str, Any]:
    return {"items": failures_by_cause(connection, view_of(connection, caller)), "next": None}


@router.post(
    "/v1/deliveries/{id}/resolve", summary="Decide on a parked or dead delivery", openapi_extra=documented(Resolution)
)
def resolve(
    hub: TheHub, caller: Operator, id: str, wanted: Annotated[Resolution, Depends(strict(Resolution))]
) -> dict[str, Any]:
    state = deeds.resolve(hub, id, wanted.verdict, actor=actor_of(caller), reason=wanted.reason)
    return {"id": id, "state": state}


@router.post("/v1/deliveries/{id}/replay", summary="Send one delivery again", openapi_extra=documented(Again))
def replay(hub: TheHub, caller: Operator, id: str, wanted: Annotated[Again, Depends(strict(Again))]) -> dict[str, Any]:
    sent = deeds.replay_one(hub, id, actor=actor_of(caller), reason=wanted.reason, overwrite=wanted.overwrite)
    return {"id": id, "status": "replayed", "sent": sent}
