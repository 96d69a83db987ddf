"""What all verbs share: how a group is made, and the options that many have."""

from __future__ import annotations

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
