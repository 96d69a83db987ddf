"""``arus systems``."""

from __future__ import annotations

from . import output
from .session import opened
from .verbs import Json, group

app = group("Systems that take part.")


@app.callback()
def _group() -> None:
    """Systems that take part."""


@app.command("list")
def listed(as_json: Json = False) -> None:
    """Every system with its agency, what it gives (feeds) and what it takes (sinks)."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse.view import ALL
        from bus.entrypoints import deeds

        rows = deeds.systems(hub, connection, ALL)
    output.listing(rows, ("system", "agency", "feeds", "sinks", "paused"), as_json=as_json)
