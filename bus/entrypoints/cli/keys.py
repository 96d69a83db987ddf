"""``arus keys``: API keys. Only a hash is stored; a key is shown once."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from . import output
from .session import actor, opened
from .verbs import Json, group

app = group("API keys of systems.")

AGENCY = re.compile(r"\d\.\d{2}\.\d\.\d{2}\.\d\.\d{2}\.\d{2}\.\d{4}", re.ASCII)


@app.command()
def create(
    system: Annotated[str, typer.Argument(help="An unknown system is registered as an external one.")],
    scope: Annotated[list[str], typer.Option("--scope", help="post, read, operate, admin; several with commas.")],
    agency: Annotated[str | None, typer.Option("--agency", help="The 22-character code of its OPD.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key for a system."""
    if agency is not None and not AGENCY.fullmatch(agency):
        raise typer.BadParameter("an agency code has 22 characters, d.dd.d.dd.d.dd.dd.dddd", param_hint="--agency")
    scopes = list(dict.fromkeys(part.strip() for text in scope for part in text.split(",") if part.strip()))
    with opened(as_json=as_json) as hub:
        from bus.engine import registry

        made = hub.writer.call(
            lambda connection: registry.create_key(
                connection, system, scopes, agency=agency, actor=actor(), now=hub.clock()
            )
        )
    if as_json:
        output.document({"system": made.system, "id": made.id, "key": made.key, "scopes": list(made.scopes)})
    else:
        output.say(made.key)
        output.note(f"Key {made.id} of {made.system}. It is shown this once: keep it now.")


@app.command()
def revoke(id: Annotated[str, typer.Argument(help="The key's id.")], as_json: Json = False) -> None:
    """End a key: it fails at its next use."""
    with opened(as_json=as_json) as hub:
        from bus.contract.errors import Problem, Refused
        from bus.engine import registry

        if not hub.writer.call(lambda connection: registry.revoke_key(connection, id, actor=actor(), now=hub.clock())):
            raise Refused(Problem("not-found", "Not found", 404, "no living key has this id"))
    if as_json:
        output.document({"id": id, "revoked": True})
    else:
        output.say(f"{id} revoked")


@app.command("list")
def listed(
    system: Annotated[str | None, typer.Option("--system", help="Of one system.")] = None, as_json: Json = False
) -> None:
    """Every key, without anything that a caller could use."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse import participants

        rows = participants.keys(connection, system)
    output.listing(rows, ("id", "system", "scopes", "created_at", "revoked_at"), as_json=as_json)
