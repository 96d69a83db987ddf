"""What waits or failed, and the acts of a person: failures, parked, rejections, resolve, pause, resume."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from . import output
from .session import actor, opened
from .verbs import Json, Limit, Reason


class As(StrEnum):
    delivered = "delivered"
    retry = "retry"
    discard = "discard"


def register(app: typer.Typer) -> None:
    for verb in (failures, parked, rejections, resolve, pause, resume):
        app.command()(verb)


def failures(as_json: Json = False) -> None:
    """Failures grouped by cause, with counts, first and last seen."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse.failures import failures as failures_by_cause
        from bus.engine.browse.view import ALL

        rows = failures_by_cause(connection, ALL)
    output.listing(
        rows, ("destination", "state", "count", "first", "last", "status", "reason", "example"), as_json=as_json
    )


def parked(
    destination: Annotated[str | None, typer.Option("--destination", help="Towards one system.")] = None,
    limit: Limit = 1000,
    as_json: Json = False,
) -> None:
    """Deliveries that wait for something named, oldest first."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse import deliveries
        from bus.engine.browse.view import ALL

        from .paging import up_to

        rows = up_to(
            limit,
            lambda size, at: deliveries.standing(
                connection, ALL, ("parked",), limit=size, cursor=at, destination=destination
            ),
        )
    shown = [{**row, "subject": row["message"]["subject"]} for row in rows]
    if as_json:
        output.document(rows)
    else:
        output.table(shown, ("id", "destination", "parked", "waits", "subject", "accepted_at"))


def rejections(
    system: Annotated[str | None, typer.Option("--system", help="Of one system.")] = None,
    feed: Annotated[str | None, typer.Option("--feed", help="Of one feed.")] = None,
    file: Annotated[str | None, typer.Option("--file", help="Of one file.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="CSV, to send back to the agency.")] = False,
    limit: Limit = 1000,
    as_json: Json = False,
) -> None:
    """Inputs that could not become messages, with place and reason."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse import inputs
        from bus.engine.browse.view import ALL

        from .paging import up_to

        rows = up_to(
            limit,
            lambda size, at: inputs.rejected(
                connection, ALL, limit=size, cursor=at, system=system, feed=feed, file=file
            ),
        )
    if csv and not as_json:
        from bus.entrypoints.rejections_csv import csv_lines

        for text in csv_lines(rows):
            sys.stdout.write(text)
        return
    shown = [
        {**row, "reason": "; ".join(f"{one['field']}: {one['english']}" for one in row["problems"])} for row in rows
    ]
    if as_json:
        output.document(rows)
    else:
        output.table(shown, ("system", "feed", "file", "row", "line", "reason"))


def resolve(
    id: Annotated[str, typer.Argument(help="The delivery's id.")],
    verdict: Annotated[As, typer.Option("--as", help="What you decide.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Decide on a parked or dead delivery."""
    with opened(as_json=as_json) as hub:
        from bus.entrypoints import deeds

        state = deeds.resolve(hub, id, verdict.value, actor=actor(), reason=reason)
    if as_json:
        output.document({"id": id, "state": state})
    else:
        output.say(f"{id} {state}")


def pause(system: Annotated[str, typer.Argument()], reason: Reason, as_json: Json = False) -> None:
    """Kill switch: when this returns, no further attempt towards the system starts."""
    _switch(system, reason, paused=True, as_json=as_json)


def resume(system: Annotated[str, typer.Argument()], reason: Reason = "", as_json: Json = False) -> None:
    """Deliver to a paused system again."""
    _switch(system, reason, paused=False, as_json=as_json)


def _switch(system: str, reason: str, *, paused: bool, as_json: bool) -> None:
    with opened(as_json=as_json) as hub:
        from bus.entrypoints import deeds

        act = deeds.pause if paused else deeds.resume
        act(hub, system, actor=actor(), reason=reason)
    if as_json:
        output.document({"system": system, "paused": paused})
    else:
        output.say(f"{system} {'paused' if paused else 'resumed'}")
