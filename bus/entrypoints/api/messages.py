"""``GET /v1/messages`` and the story of one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from bus.contract.message import SOURCE_PREFIX
from bus.engine.browse import messages
from bus.engine.browse.view import view_of
from bus.entrypoints.target_form import with_targets

from . import problems
from .auth import Reader
from .requests import Cursor, Limit, Reading, Since, TheHub, Until, known_type, stored

router = APIRouter(tags=["messages"])

STATES = (
    "pending",
    "delivering",
    "retrying",
    "deferred",
    "parked",
    "delivered",
    "dead",
    "superseded",
    "discarded",
)

Text = Annotated[str | None, Query(max_length=400)]


@router.get("/v1/messages", summary="Find messages, newest first")
def search(
    hub: TheHub,
    connection: Reading,
    caller: Reader,
    type: Annotated[str | None, Query(max_length=200, description="Short or full type.")] = None,
    source: Annotated[str | None, Query(max_length=200, description="`/systems/<system>` or the system's id.")] = None,
    id: Annotated[str | None, Query(max_length=200, description="The poster's own id.")] = None,
    subject: Annotated[str | None, Query(max_length=1024)] = None,
    status: Annotated[str | None, Query(max_length=20, description="State of one of its deliveries.")] = None,
    since: Since = None,
    until: Until = None,
    q: Annotated[str | None, Query(max_length=200, description="Free text in subject, id and data.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    if status is not None and status not in STATES:
        told = ", ".join(STATES)
        raise problems.invalid("status", f"status is one of {told}", f"status adalah salah satu dari {told}")
    wanted = messages.Filter(
        type=None if type is None else known_type(hub, type),
        source=None if source is None else source.removeprefix(SOURCE_PREFIX),
        id=id,
        subject=subject,
        state=status,
        since=stored(since),
        until=stored(until),
        text=q,
    )
    return messages.search(connection, view_of(connection, caller), wanted, limit=limit, cursor=cursor)


@router.get("/v1/messages/{id:path}", summary="The whole story of one message")
def story(
    hub: TheHub,
    connection: Reading,
    caller: Reader,
    id: str,
    source: Annotated[str | None, Query(max_length=200, description="With it, `id` is the poster's own.")] = None,
) -> dict[str, Any]:
    view = view_of(connection, caller)
    row = messages.find(connection, view, id, source.removeprefix(SOURCE_PREFIX) if source else None)
    if row is None:
        raise problems.not_found("message")
    return with_targets(hub.routing, messages.message_of(row), messages.story(connection, view, row))
