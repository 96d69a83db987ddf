"""Texts of other systems, made fit to stand in a reason: short, one line, without our own secrets."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 200


def quoted(text: object, secrets: Iterable[str] = ()) -> str:
    """At most 200 printable characters of ``text``; each of ``secrets`` in it becomes ``***``."""
    line = str(text) if text is not None else ""
    for secret in secrets:
        if secret:
            line = line.replace(secret, "***")
    line = " ".join("".join(c if c.isprintable() else " " for c in line[: 8 * LONGEST]).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
