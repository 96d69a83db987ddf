"""What all verbs share: how a group is made, and the options that many have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else there.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many.")]


def group(help_text: str, *, default: bool = False) -> typer.Typer:
    """A group of verbs; with ``default`` its name alone is a verb too."""
    return typer.Typer(
        help=help_text, no_args_is_help=not default, invoke_without_command=default, rich_markup_mode=None
    )


def moment(text: str | None, option: str) -> int | None:
    """A stored moment from what was written for ``option``; wrong usage where it is no time with a zone."""
    if text is None:
        return None
    from bus.contract.clock import from_datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter("a time is written 2025-01-31T14:00:00+07:00", param_hint=option)
    return from_datetime(found)
