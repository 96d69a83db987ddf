"""``arus db`` and ``arus check``."""

from __future__ import annotations

import typer

from . import output
from .session import load_settings, opened
from .verbs import Json, group

db = group("The store.")


def register(app: typer.Typer) -> None:
    app.command()(check)
    app.add_typer(db, name="db")


@db.callback()
def _db() -> None:
    """The store."""


@db.command()
def upgrade(as_json: Json = False) -> None:
    """Create the store, or bring its schema to this version's."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine import readiness

        revision = readiness.revision(connection)
    if as_json:
        output.document({"revision": revision})
    else:
        output.say(f"schema revision {revision}")


def check(as_json: Json = False) -> None:
    """Is the configuration right: routes, types, feeds, store, drop folders."""
    settings = load_settings()
    from bus.entrypoints.checking import findings

    found = findings(settings)
    if as_json:
        output.document({"ok": not found, "findings": found})
    elif found:
        for finding in found:
            output.say(f"{finding['where']}: {finding['what']}")
    else:
        output.say("nothing wrong")
    if found:
        raise typer.Exit(1)
