"""``arus subscriptions``: URLs that get messages of the types they asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from . import output
from .session import actor, opened
from .verbs import Json, group

app = group("Subscriptions: the connector without code.")


class From(StrEnum):
    now = "now"
    current = "current"


@app.command()
def add(
    system: Annotated[str, typer.Argument(help="Whose subscription it is.")],
    url: Annotated[str, typer.Argument(help="Where the messages are posted.")],
    types: Annotated[list[str], typer.Option("--types", help="Types or patterns (budget.*); several with commas.")],
    secret: Annotated[str | None, typer.Option("--secret", help="Signs the deliveries; made where absent.")] = None,
    start: Annotated[From, typer.Option("--from", help="current: the present state of every record first.")] = From.now,
    as_json: Json = False,
) -> None:
    """Subscribe a URL."""
    patterns = [part.strip() for text in types for part in text.split(",") if part.strip()]
    with opened(as_json=as_json) as hub:
        from bus.entrypoints import deeds

        made = deeds.subscribe(
            hub,
            system,
            url,
            patterns,
            secret=secret,
            start="current" if start is From.current else "now",
            actor=actor(),
        )
    if as_json:
        output.document(
            {
                "id": made.id,
                "system": made.system,
                "url": made.url,
                "types": list(made.types),
                "from": made.start,
                "secret": made.secret,
            }
        )
    else:
        output.say(f"{made.id}  {made.secret}")
        output.note("The secret is shown this once: keep it now.")


@app.command("list")
def listed(as_json: Json = False) -> None:
    """Living subscriptions."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse import participants
        from bus.engine.browse.view import ALL

        rows = participants.subscriptions(connection, ALL)
    output.listing(rows, ("id", "system", "types", "from", "url"), as_json=as_json)


@app.command()
def remove(id: Annotated[str, typer.Argument(help="The subscription's id.")], as_json: Json = False) -> None:
    """End a subscription; what was not yet delivered to it is discarded."""
    with opened(as_json=as_json) as hub:
        from bus.contract.errors import Problem, Refused
        from bus.engine import subscribing

        ended = hub.writer.call(
            lambda connection: subscribing.unsubscribe(connection, id, system=None, actor=actor(), now=hub.clock())
        )
        if not ended:
            raise Refused(Problem("not-found", "Not found", 404, "no living subscription has this id"))
    if as_json:
        output.document({"id": id, "removed": True})
    else:
        output.say(f"{id} removed")
