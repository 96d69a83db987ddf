"""``arus audit``: the chain of audit rows, its end and its verification."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import output
from .session import opened
from .verbs import Json, group

if TYPE_CHECKING:
    from bus.engine.sealing import Finding, Verified

app = group("The audit log, a hash chain.")

_MEANING = {
    "changed": "its content is not what was sealed",
    "missing": "deleted",
    "broken": "it does not follow the row before",
    "inserted": "a row that was not sealed there",
}


@app.command()
def head(as_json: Json = False) -> None:
    """Where the chain ends: note the hash down elsewhere, and ask for it with verify --anchor."""
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine import sealing

        found = sealing.head(connection)
    if as_json:
        output.document(asdict(found))
    else:
        output.say(f"{found.hash} {found.position}")


@app.command()
def verify(
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="An earlier head's hash, noted down elsewhere: it must be there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compute the chain anew: finds rows that were changed, deleted, inserted or swapped. Exit 1 if any."""
    if anchor is not None and not re.fullmatch("[0-9a-f]{64}", anchor):
        raise typer.BadParameter("an anchor is a head's hash: 64 hexadecimal digits", param_hint="--anchor")
    with opened(as_json=as_json) as hub, hub.database.reads.connect() as connection:
        from bus.engine import sealing

        found = sealing.verify(connection, anchor)
    if as_json:
        output.document(_document(found))
    else:
        _say(found)
    if not found.ok:
        raise typer.Exit(1)


def _document(found: Verified) -> dict[str, Any]:
    anchor = None if found.anchor is None else {"hash": found.anchor, "position": found.anchored}
    return {
        "ok": found.ok,
        "sealed": found.sealed,
        "unsealed": found.unsealed,
        "head": asdict(found.head),
        "wrong": found.wrong,
        "findings": [asdict(one) for one in found.findings],
        "anchor": anchor,
    }


def _say(found: Verified) -> None:
    for one in found.findings:
        output.say(_line(one))
    if found.wrong > len(found.findings):
        output.say(f"and {found.wrong - len(found.findings)} more")
    if found.anchor is not None and found.anchored is None:
        output.say("the anchor is not in the chain: its end was cut, or the store is an older copy or another one")
    if found.ok:
        output.say("nothing wrong")
    output.say(f"{found.sealed} sealed, {found.unsealed} not yet; head {found.head.position} {found.head.hash}")


def _line(one: Finding) -> str:
    rows = f"row {one.first}" if one.first == one.last else f"rows {one.first} to {one.last}"
    return f"{rows} {one.what}: {_MEANING[one.what]}"
