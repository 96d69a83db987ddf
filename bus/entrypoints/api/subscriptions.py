"""``/v1/subscriptions``: a system names a URL and gets messages of the types it asked for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field, StringConstraints

from bus.engine import subscribing
from bus.engine.browse import participants
from bus.engine.browse.view import view_of
from bus.entrypoints import deeds

from . import problems
from .auth import Reader
from .requests import Body, Reading, TheHub, actor_of, documented, strict

router = APIRouter(tags=["subscriptions"])

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class NewSubscription(Body):
    """``from`` is ``now``, or ``current`` for the present state of every record first."""

    types: Annotated[list[Pattern], Field(min_length=1, max_length=50)]
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    secret: Annotated[str | None, StringConstraints(min_length=1, max_length=200)] = None
    start: Literal["now", "current"] = Field(default="now", alias="from")


@router.get("/v1/subscriptions", summary="Living subscriptions")
def listed(connection: Reading, caller: Reader) -> dict[str, Any]:
    return {"items": participants.subscriptions(connection, view_of(connection, caller)), "next": None}


@router.post("/v1/subscriptions", status_code=201, summary="Subscribe a URL", openapi_extra=documented(NewSubscription))
def subscribe(
    hub: TheHub,
    caller: Reader,
    wanted: Annotated[NewSubscription, Depends(strict(NewSubscription))],
    response: Response,
) -> dict[str, Any]:
    made = deeds.subscribe(
        hub,
        caller.system,
        wanted.url,
        wanted.types,
        secret=wanted.secret,
        start=wanted.start,
        actor=actor_of(caller),
    )
    response.headers["Location"] = f"/v1/subscriptions/{made.id}"
    return {
        "id": made.id,
        "system": made.system,
        "url": made.url,
        "types": list(made.types),
        "from": made.start,
        "secret": made.secret,
    }


@router.delete("/v1/subscriptions/{id}", status_code=204, summary="End a subscription")
def unsubscribe(hub: TheHub, caller: Reader, id: str) -> Response:
    owner = None if caller.sees_all else caller.system
    ended = hub.writer.call(
        lambda connection: subscribing.unsubscribe(
            connection, id, system=owner, actor=actor_of(caller), now=hub.clock()
        )
    )
    if not ended:
        raise problems.not_found("subscription")
    return Response(status_code=204)
