"""``/v1/replays``: many deliveries again, by filter in the background, or some by their ids."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from bus.contract.message import SOURCE_PREFIX
from bus.engine.replay_filter import ReplayFilter
from bus.entrypoints import deeds, replays
from bus.entrypoints.wiring import Hub

from . import problems
from .auth import Operator
from .requests import Act, Body, TheHub, actor_of, documented, known_type, stored, strict

router = APIRouter(tags=["operating"])

FASTEST = 10_000.0

Word = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


def _moment(value: object) -> object:
    """JSON has no times: the text is read here; what is no text stays what it is, and is refused."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class Wanted(Body):
    """Which deliveries: all that is named must hold. Without ``state``: the dead and the parked ones.

    ``from`` and ``to`` are when their messages were accepted; ``reason`` is one of ``/v1/failures`` or
    ``/v1/parked``, its numbers do not count; ``source`` is a system, also as ``/systems/<system>``.
    """

    destination: Word | None = None
    type: Word | None = None
    source: Word | None = None
    subject: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None
    state: Literal["dead", "parked", "delivered"] | None = None
    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")
    reason: Word | None = None


class Replay(Act):
    """``ids`` or ``filter``. ``dry_run``: say what would change and change nothing. ``rate``: deliveries a second.

    ``overwrite``: send even where the destination would get an older version than the newest.
    """

    ids: Annotated[list[Id], Field(min_length=1, max_length=100)] | None = None
    wanted: Wanted | None = Field(default=None, alias="filter")
    dry_run: bool = False
    rate: Annotated[float, Field(gt=0, le=FASTEST)] | None = None
    overwrite: bool = False


@router.post(
    "/v1/replays", summary="Send many deliveries again: by filter, or by ids", openapi_extra=documented(Replay)
)
def begin(
    hub: TheHub, caller: Operator, asked: Annotated[Replay, Depends(strict(Replay))], response: Response
) -> dict[str, Any]:
    if (asked.ids is None) == (asked.wanted is None):
        raise problems.invalid("filter", "give either ids or filter", "isi salah satu: ids atau filter")
    actor = actor_of(caller)
    if asked.ids is not None and not asked.dry_run:
        results = deeds.replay(hub, asked.ids, actor=actor, reason=asked.reason, overwrite=asked.overwrite)
        return {"items": results}
    wanted = _filter(hub, asked.wanted) if asked.wanted is not None else ReplayFilter(ids=tuple(asked.ids or ()))
    if asked.dry_run:
        found = replays.preview(hub, wanted, overwrite=asked.overwrite, actor=actor, reason=asked.reason)
        return {"dry_run": True, "destinations": found}
    job = replays.begin(hub, wanted, overwrite=asked.overwrite, rate=asked.rate, actor=actor, reason=asked.reason)
    response.status_code = 202
    response.headers["Location"] = f"/v1/replays/{job['id']}"
    return job


def _filter(hub: Hub, wanted: Wanted) -> ReplayFilter:
    return ReplayFilter(
        destination=wanted.destination,
        type=None if wanted.type is None else known_type(hub, wanted.type),
        source=None if wanted.source is None else wanted.source.removeprefix(SOURCE_PREFIX),
        subject=wanted.subject,
        state=wanted.state,
        since=stored(wanted.since),
        until=stored(wanted.until),
        reason=wanted.reason,
    )


@router.get("/v1/replays", summary="The latest replays by filter, newest first")
def listed(hub: TheHub, caller: Operator) -> dict[str, Any]:  # noqa: ARG001 - the scope is what is asked
    return {"items": replays.listed(hub), "next": None}


@router.get("/v1/replays/{id}", summary="One replay as it stands")
def one(hub: TheHub, caller: Operator, id: str) -> dict[str, Any]:  # noqa: ARG001
    return replays.find(hub, id)


@router.post(
    "/v1/replays/{id}/stop", summary="After the answer it sets nothing more going", openapi_extra=documented(Act)
)
def stop(hub: TheHub, caller: Operator, id: str, act: Annotated[Act, Depends(strict(Act))]) -> dict[str, Any]:
    return replays.stop(hub, id, actor=actor_of(caller), reason=act.reason)
