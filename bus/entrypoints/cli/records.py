"""``arus records``: the canonical records."""

from __future__ import annotations

from typing import Annotated

import typer

from . import output
from .session import opened
from .verbs import Json, group

app = group("Canonical records.")


def _short(name: str, types: object) -> str:
    from bus.contract.message import short_type

    short = short_type(name)
    if short not in types:  # type: ignore[operator]
        raise typer.BadParameter("no such type; arus systems and /v1/schemas name them", param_hint="type")
    return short


@app.command()
def show(
    type: Annotated[str, typer.Argument(help="Short or full type.")],
    key: Annotated[str, typer.Argument(help="The record's key, as in subject.")],
    as_json: Json = False,
) -> None:
    """A record, its versions and its replicas."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.contract.errors import Problem, Refused
        from bus.engine.browse import records
        from bus.engine.browse.view import ALL

        found = records.record(connection, ALL, _short(type, hub.catalogue.types), key)
        if found is None:
            raise Refused(Problem("not-found", "Not found", 404, "no such record"))
    if as_json:
        output.document(found)
        return
    for name in ("type", "key", "version", "deleted", "agency", "updated_at"):
        output.say(f"{name:12} {found[name]}")
    for name, value in found["data"].items():
        output.say(f"  {name}: {value}")
    output.table(found["replicas"], ("destination", "version", "deleted", "delivered_at"))


@app.command()
def export(
    type: Annotated[str, typer.Option("--type", help="Short or full type.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of NDJSON.")] = False,
) -> None:
    """Every living record of a type, one JSON object a line: key, version, data."""
    with opened() as hub, hub.database.reads.connect() as connection:
        from bus.engine.browse import records
        from bus.engine.browse.view import ALL

        found = records.export(connection, ALL, _short(type, hub.catalogue.types))
        if as_json:
            output.document(list(found))
            return
        for record in found:
            output.line(record)
