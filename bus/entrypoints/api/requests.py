"""What every resource needs: the hub, a connection to read, the caller's view, a strictly read body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar, get_args

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlalchemy import Connection

from bus.contract.clock import from_datetime
from bus.contract.errors import Problem, Refused
from bus.contract.message import short_type
from bus.engine.browse.paging import MOST
from bus.engine.registry import Identity
from bus.entrypoints.wiring import Hub

from . import asgi, problems, strict_json

LARGEST = 64 * 1024
"""Bytes of a body that is not a message."""

READERS = 10
"""Requests that have the store open for reading at once: fewer than there are connections and threads."""

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """The base of request bodies: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Act(Body):
    """An act of a person, with its reason for the audit log."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


def hub_of(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


async def turn(request: Request) -> AsyncIterator[None]:
    """Wait for one of the :data:`READERS` places, keeping nothing meanwhile.

    Requests that wait for a connection inside a thread would keep all threads from those that have a connection and
    want a thread; and whoever posts needs a connection too, for the look at its key.
    """
    async with request.app.state.readers:
        yield


def reading(request: Request, _turn: Annotated[None, Depends(turn)]) -> Iterator[Connection]:
    with hub_of(request).database.reads.connect() as connection:
        yield connection


TheHub = Annotated[Hub, Depends(hub_of)]
Reading = Annotated[Connection, Depends(reading)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Items of one page.")]
Cursor = Annotated[str | None, Query(max_length=64, description="The member `next` of the page before.")]
Since = Annotated[AwareDatetime | None, Query(description="Accepted at or after this time, with its zone.")]
Until = Annotated[AwareDatetime | None, Query(description="Accepted before this time, with its zone.")]


def strict(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """A dependency: the JSON body as ``model``, read by the same rules as messages."""

    async def read(request: Request) -> Model:
        headers = asgi.headers_of(request.scope)
        media_type = (asgi.single(headers, "content-type") or "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused(Problem("unsupported-media-type", "Unsupported media type", 415, "send application/json"))
        value = strict_json.parse(await asgi.body(request.receive, headers, LARGEST))
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise Refused(problems.of_validation(error.errors(include_url=False), frozenset(_names(model)))) from None

    return read


def _names(model: type[BaseModel]) -> Iterator[str]:
    """Names of the body's fields, those of its inner objects too."""
    for name, field in model.model_fields.items():
        yield field.alias or name
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from _names(inner)


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI shall say of a body that ``strict`` reads."""
    schema = model.model_json_schema()
    inner = schema.pop("$defs", {})
    whole = _inlined(schema, inner)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": whole}}}}


def _inlined(schema: Any, inner: Mapping[str, Any]) -> Any:
    """Without references: they would point into another document."""
    if isinstance(schema, list):
        return [_inlined(one, inner) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(inner[schema["$ref"].rsplit("/", 1)[1]], inner)
    return {name: _inlined(one, inner) for name, one in schema.items()}


def actor_of(identity: Identity) -> str:
    """Whom the audit log names."""
    return f"{identity.system}:{identity.key_id}"


def known_type(hub: Hub, name: str) -> str:
    """The short form of a type given in either. Raises Refused (404)."""
    short = short_type(name)
    if short not in hub.catalogue.types:
        raise problems.not_found("type")
    return short


def stored(moment: datetime | None) -> int | None:
    return None if moment is None else from_datetime(moment)
