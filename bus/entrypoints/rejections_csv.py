"""Rejections as CSV, to send back to the agency: one line per reason, opened by a spreadsheet without harm."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

COLUMNS = ("system", "feed", "file", "row", "line", "column", "field", "english", "indonesian", "raw")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for a formula, full-width forms too."""


def csv_lines(rejections: Iterable[dict[str, Any]]) -> Iterator[str]:
    """UTF-8, comma, CRLF, every cell quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for rejection in rejections:
        for problem in rejection["problems"] or [{}]:
            cells = {**rejection, **problem}
            writer.writerow([_safe(cells.get(name)) for name in COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _safe(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
