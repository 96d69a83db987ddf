"""Writes ``docs/reference/`` from the code: ``python docs/generate.py``; with ``--check`` it only compares.

What the code says of itself (docstrings, field descriptions, help texts) is said once, there. A test runs the
comparison, so a new type, route, feed, setting, metric or verb cannot stay unmentioned.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import reference_code  # noqa: E402 - needs the path set above
import reference_entrypoints  # noqa: E402
import reference_outcomes  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by docs/generate.py from the code; change the code, not this file. -->"

PAGES: dict[str, Callable[[], Iterable[str]]] = {
    "types.md": reference_code.types,
    "feeds.md": reference_code.feeds,
    "routes.md": reference_code.routes,
    "metrics.md": reference_code.metrics,
    "outcomes.md": reference_outcomes.outcomes,
    "settings.md": reference_entrypoints.settings,
    "problems.md": reference_entrypoints.problems,
    "http.md": reference_entrypoints.http,
    "cli.md": reference_entrypoints.cli,
}


def pages() -> dict[Path, str]:
    """Every generated file with its text."""
    return {REFERENCE / name: "\n".join([NOTE, *make(), ""]) for name, make in PAGES.items()}


def main(arguments: Sequence[str]) -> int:
    """Answers 1 where ``--check`` finds a difference."""
    different = [
        path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for path in different:
            sys.stderr.write(f"{path.relative_to(ROOT)} differs from the code: run python docs/generate.py\n")
        return int(bool(different))
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    sys.stderr.write(f"{len(different)} of {len(PAGES)} pages changed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
