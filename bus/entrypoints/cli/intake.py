"""``arus intake`` and ``arus mapping try``: files through a feed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import output
from .session import actor, opened
from .verbs import Json, group

if TYPE_CHECKING:
    from bus.contract.errors import Problem
    from bus.contract.feed import Feed
    from bus.entrypoints.catalogue import Catalogue

mapping = group("Mappings.")

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="Files.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A file.")]
System = Annotated[str, typer.Argument(help="The system that the feed belongs to.")]
FeedName = Annotated[str, typer.Argument(metavar="FEED", help="The feed's name; arus systems list has them.")]


def register(app: typer.Typer) -> None:
    app.command()(intake)
    app.add_typer(mapping, name="mapping")


@mapping.callback()
def _mapping() -> None:
    """Mappings between a system's own format and the canonical models."""


def _feed(catalogue: Catalogue, system: str, name: str, *, as_json: bool) -> Feed:
    from bus.contract.errors import Problem

    feed = catalogue.feed(system, name)
    if feed is None:
        known = ", ".join(sorted(one.name for one in catalogue.feeds if one.system == system))
        detail = f"feeds of this system: {known}" if known else "no such system has feeds; see arus systems list"
        output.refuse(Problem("unknown-feed", "Unknown feed", 404, detail), as_json=as_json, code=2)
    return feed


def intake(system: System, feed_name: FeedName, files: Files, as_json: Json = False) -> None:
    """Take files through a feed: good rows become messages, bad ones rejections."""
    with opened(as_json=as_json) as hub:
        from bus.contract.errors import Refused
        from bus.engine.taken import Counts

        feed = _feed(hub.catalogue, system, feed_name, as_json=as_json)
        counts, taken = Counts(), 0
        problems: list[Problem] = []
        for path in files:
            try:
                counts += hub.intake.take(feed, path.read_bytes(), path.name, actor=actor()).counts
                taken += 1
            except Refused as refused:
                problems.append(refused.problem)
                output.note(f"arus: {path.name}: {refused.problem.title}: {refused.problem.detail}")
    document: dict[str, Any] = asdict(counts) if taken else {}
    if problems:
        document["problem"] = problems[0].document()
    if len(problems) > 1:
        document["problems"] = [problem.document() for problem in problems]
    if as_json:
        output.document(document)
    elif taken:
        output.say(", ".join(f"{name} {value}" for name, value in asdict(counts).items()))
    if problems:
        raise typer.Exit(1)


@mapping.command("try")
def attempt(system: System, feed_name: FeedName, file: File, as_json: Json = False) -> None:
    """Show what a feed makes of a file; nothing is stored. Agency names stay as they are written."""
    from bus.contract.errors import Problem
    from bus.contract.feed import FileRefused
    from bus.entrypoints.catalogue import Catalogue

    feed = _feed(Catalogue(), system, feed_name, as_json=as_json)
    if feed.read is None:
        output.refuse(Problem("not-a-file-feed", "Not a file feed", 422, "this feed takes no files"), as_json=as_json)
    try:
        reading = feed.read(file.read_bytes(), file.name)
    except FileRefused as refused:
        errors = [{"field": "file", "english": refused.english, "indonesian": refused.indonesian}]
        output.refuse(Problem(refused.code, "File refused", 422, refused.english, errors), as_json=as_json)
    rows = [_row(feed, row) for row in reading.rows]
    bad = sum("problems" in row for row in rows)
    if as_json:
        output.document({"dialect": dict(reading.dialect), "rows": len(rows), "rejected": bad, "records": rows})
    else:
        for row in rows:
            output.line(row)
        output.note(f"{len(rows)} rows, {bad} rejected")
    if bad:
        raise typer.Exit(1)


def _row(feed: Feed, row: Any) -> dict[str, Any]:
    from bus.contract.feed import RowRefused

    place = {"row": row.number, "line": row.line}
    try:
        if row.problems:
            raise RowRefused(row.problems)
        record = feed.decode(row.values)
    except RowRefused as refused:
        return {**place, "problems": [asdict(problem) for problem in refused.problems]}
    return {**place, "type": record.type, "subject": record.subject, "agency": record.agency, "data": dict(record.data)}
