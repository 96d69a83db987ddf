"""``arus snapshots``: files that would delete too much, held for a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from . import output
from .session import actor, opened
from .verbs import Json, Reason, group

app = group("Held snapshots.", default=True)

State = Annotated[str | None, typer.Option("--state", help="held, approved, refused or replaced.")]


@app.callback()
def default(context: typer.Context, state: State = None, as_json: Json = False) -> None:
    """Snapshots that were held for a person; alone it lists them."""
    if context.invoked_subcommand is None:
        listed(state, as_json)


@app.command("list")
def listed(state: State = None, as_json: Json = False) -> None:
    """Snapshots that were held, newest first."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse import inputs
        from bus.engine.browse.view import ALL

        rows = inputs.held(connection, ALL, state=state)
    output.listing(rows, ("id", "system", "feed", "file", "state", "rows", "deletions", "size", "at"), as_json=as_json)


@app.command()
def approve(
    id: Annotated[str, typer.Argument(help="The snapshot's id.")], reason: Reason = "", as_json: Json = False
) -> None:
    """Let a held snapshot through: it deletes what it says."""
    with opened(as_json=as_json) as hub:
        counts = hub.intake.approve(id, hub.catalogue.feed, actor=actor(), reason=reason)
    if as_json:
        output.document({"id": id, "state": "approved", **asdict(counts)})
    else:
        output.say(f"{id} approved: " + ", ".join(f"{name} {value}" for name, value in asdict(counts).items()))


@app.command()
def refuse(
    id: Annotated[str, typer.Argument(help="The snapshot's id.")], reason: Reason = "", as_json: Json = False
) -> None:
    """Refuse a held snapshot: nothing of it is taken."""
    with opened(as_json=as_json) as hub:
        hub.intake.refuse(id, actor=actor(), reason=reason)
    if as_json:
        output.document({"id": id, "state": "refused"})
    else:
        output.say(f"{id} refused")
