"""Printing: one JSON document, or text for people. Progress and complaints go to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from bus.contract.errors import Problem

WIDEST = 60
"""Characters of a cell; the whole text is in --json."""


def document(value: Any) -> None:
    """The one JSON document of ``--json``."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def line(value: Any) -> None:
    """One line of NDJSON."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def say(text: str) -> None:
    """Text for people, on stdout."""
    sys.stdout.write(_harmless(text) + "\n")


def note(text: str) -> None:
    """Progress and hints, on stderr."""
    sys.stderr.write(_harmless(text) + "\n")


def table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Rows in columns, or a word that there are none."""
    if not rows:
        say("none")
        return
    names = list(columns)
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[index]) for line in cells)) for index, name in enumerate(names)]
    for entry in [[name.upper() for name in names], *cells]:
        say("  ".join(text.ljust(width) for text, width in zip(entry, widths, strict=True)).rstrip())


def listing(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        document(list(rows))
    else:
        table(rows, columns)


def refuse(problem: Problem, *, as_json: bool, code: int = 1) -> NoReturn:
    """Tell the problem and leave."""
    if as_json:
        document({"problem": problem.document()})
    note(f"arus: {problem.title}" + (f": {problem.detail}" if problem.detail else ""))
    for error in problem.errors:
        note(f"  {error.get('field', '')}: {error.get('english', '')} / {error.get('indonesian', '')}")
    raise typer.Exit(code)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        value = " ".join(f"{name}={part}" for name, part in value.items()) or "-"
    elif isinstance(value, list | tuple):
        value = ",".join(str(part) for part in value) or "-"
    text = _harmless(str(value))
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _harmless(text: str) -> str:
    """No control characters reach the terminal: ids and reasons come from outside."""
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
