"""``<name>.errors.csv``: the refused rows as they came, with where and why, to be mended and dropped again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from bus.contract.feed import FieldProblem, Reading, Row

from .table import Cells, TableReading

ADDED = ("baris", "kolom", "alasan", "reason")
"""Columns that the hub adds: line of the original file, column, reason in Indonesian, reason in English."""

HINT = "daun"
"""Added too where a reader asks for it: whether a budget line was the last of its branch in the whole document."""

_FORMULA = tuple("=+-@\t\r＝＋－＠")


def errors_csv(reading: Reading, refused: Mapping[int, Sequence[FieldProblem]]) -> bytes:
    """The file for the clerk, UTF-8 with BOM so that Excel opens it. ``refused``: row number -> its problems.

    The original cells are given as they were; only the added texts are made safe against formulas. A row whose
    reading failed and that the engine refused is the same row: it stands once.
    """
    rows = [row for row in reading.rows if row.number in refused]
    table = reading if isinstance(reading, TableReading) else _members(rows)
    keep = [place for place, name in enumerate(table.preamble[table.header]) if not is_added(name)]
    records = {row.number: [_kept(cells, keep, table) for cells in table.cells[row.number]] for row in rows}
    width = max([len(keep), *(len(cells) for group in records.values() for cells in group)])
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=table.delimiter, lineterminator="\r\n")
    for place, cells in enumerate(table.preamble):
        if place == table.header:
            names = [*ADDED, HINT] if table.hints else ADDED
            writer.writerow([*_padded(_kept(cells, keep, table), width), *names])
        else:
            writer.writerow(_kept(cells, keep, table) if place > table.header else cells)
    for row in rows:
        hint = [table.hints.get(row.number, "")] if table.hints else []
        first, *further = records[row.number]
        writer.writerow([*_padded(first, width), *_added(row, refused[row.number]), *hint])
        writer.writerows(further)
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def is_added(heading: str) -> bool:
    """Whether the hub's own ``.errors.csv`` added this column."""
    return heading.strip().casefold() in (*ADDED, HINT)


def _kept(cells: Cells, keep: Sequence[int], table: TableReading) -> Cells:
    """The cells without the columns that an earlier errors file added; what stands beyond the header stays."""
    beyond = len(table.preamble[table.header])
    return (*(cells[place] for place in keep if place < len(cells)), *cells[beyond:])


def _members(rows: Sequence[Row]) -> TableReading:
    """Rows that came as JSON objects, as a table with a column for every member."""
    names = tuple(dict.fromkeys(name for row in rows for name in row.values))
    cells = {row.number: (tuple(_text(row.values.get(name)) for name in names),) for row in rows}
    return TableReading(rows, preamble=(names,), cells=cells)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _added(row: Row, problems: Sequence[FieldProblem]) -> Iterator[str]:
    columns = dict.fromkeys(problem.column or problem.field for problem in problems)
    yield str(row.line)
    yield _safe("; ".join(name for name in columns if name))
    yield _safe("; ".join(problem.indonesian for problem in problems))
    yield _safe("; ".join(problem.english for problem in problems))


def _safe(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text


def _padded(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]
