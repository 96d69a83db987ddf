"""``arus messages``: find messages, and tell the story of one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from . import output
from .session import opened
from .verbs import Json, Limit, group, moment

app = group("Messages and what became of them.")

_SHOWN = ("hub_id", "id", "source", "type", "subject", "accepted_at", "deliveries")


@app.command("list")
def listed(
    type: Annotated[str | None, typer.Option("--type", help="Short or full type.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="The system that sent it.")] = None,
    id: Annotated[str | None, typer.Option("--id", help="The sender's own id.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="The record's key.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="State of one of its deliveries.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Accepted at or after.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Accepted before.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Free text in subject, id and data.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Find messages, newest first."""
    moments = moment(since, "--since"), moment(until, "--until")
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.contract.message import SOURCE_PREFIX, short_type
        from bus.engine.browse import messages
        from bus.engine.browse.view import ALL

        from .paging import up_to

        wanted = messages.Filter(
            type=short_type(type) if type else None,
            source=source.removeprefix(SOURCE_PREFIX) if source else None,
            id=id,
            subject=subject,
            state=status,
            since=moments[0],
            until=moments[1],
            text=text,
        )
        rows = up_to(limit, lambda size, at: messages.search(connection, ALL, wanted, limit=size, cursor=at))
    output.listing(rows, _SHOWN, as_json=as_json)


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="The hub's id (m123), or the sender's own.")],
    source: Annotated[str | None, typer.Option("--source", help="With it, the id is the sender's own.")] = None,
    as_json: Json = False,
) -> None:
    """The whole story: as received, canonical, each target form, each attempt."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.contract.errors import Problem, Refused
        from bus.contract.message import SOURCE_PREFIX
        from bus.engine.browse import messages
        from bus.engine.browse.view import ALL
        from bus.entrypoints.target_form import with_targets

        row = messages.find(connection, ALL, id, source.removeprefix(SOURCE_PREFIX) if source else None)
        if row is None:
            raise Refused(Problem("not-found", "Not found", 404, "no such message, or several: give --source"))
        story = with_targets(hub.routing, messages.message_of(row), messages.story(connection, ALL, row))
    if as_json:
        output.document(story)
    else:
        _tell(story)


def _tell(story: dict[str, Any]) -> None:
    for name in ("hub_id", "source", "id", "type", "subject", "op", "time", "accepted_at", "version", "agency"):
        output.say(f"{name:12} {story[name]}")
    for delivery in story["deliveries"]:
        why = delivery["waits"] or delivery["reason"] or ""
        output.say(f"-> {delivery['destination']}: {delivery['state']} {why} ({delivery['id']})")
        for attempt in delivery["attempts"]:
            told = f"{attempt['outcome']} {attempt['status'] or ''} {attempt['detail'] or ''}"
            output.say(f"     {attempt['number']}. {attempt['ended_at']} {told}")
