"""A budget file opened: which dialect it is written in, what stands above the header, and its lines.

A *line* is a CSV record with a code or an amount; a record with neither continues the line above (its text belongs
to that line's note), so signature lines at the end of a document are no lines of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bus.contract.feed import FieldProblem, FileRefused
from connectors.kit.errors_csv import ADDED, is_added
from connectors.kit.table import (
    DELIMITER_NAMES,
    DELIMITERS,
    Cells,
    Record,
    TableSettings,
    decode,
    records,
    unwrapped,
)

from .headings import SEARCHED, Header, Roles, find_header, metadata

HasCode = Callable[[Record, Header], bool]
"""Whether a record has a code, so that it is a line of its own."""


@dataclass(slots=True)
class Line:
    """One budget line as it stands in the file, with the records that continue it."""

    record: Record
    problems: list[FieldProblem] = field(default_factory=list)
    further: list[Record] = field(default_factory=list)

    @property
    def raw(self) -> str:
        """The exact text of the line and what continues it."""
        return "".join(record.raw for record in (self.record, *self.further))

    @property
    def cells(self) -> tuple[Cells, ...]:
        """The cells of the line's records."""
        return tuple(record.cells for record in (self.record, *self.further))

    def continued(self) -> list[str]:
        """The texts of the records below it."""
        return [" ".join(cell.strip() for cell in record.cells if cell.strip()) for record in self.further]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``partial``: the file is an ``.errors.csv`` of the hub, mended: some lines of a document, not the document."""

    lines: Sequence[Line]
    header: Header
    metadata: Mapping[str, str]
    preamble: tuple[Cells, ...]
    header_at: int
    delimiter: str
    dialect: Mapping[str, str]
    partial: bool


def open_sheet(
    content: bytes, settings: TableSettings, roles: Roles, marks: Mapping[str, str], has_code: HasCode
) -> Sheet:
    """Read a budget file. ``marks`` are the roles that make a record the header, each with a heading to ask for.

    Raises FileRefused: not text, no header under any delimiter, or one under two of them.
    """
    text, encoding = decode(content, settings)
    rows, delimiter, wrapped, header = _as_table(text, settings, roles, marks)
    body = rows[header.rows :]
    lines = _lines(body, header, has_code)
    if not lines:
        raise FileRefused("empty-file", "there is no row below the header", "tidak ada baris di bawah judul kolom")
    dialect = {
        "encoding": encoding,
        "delimiter": DELIMITER_NAMES[delimiter],
        "header_line": str(rows[header.top].line),
    }
    if wrapped:
        dialect["wrapped"] = "each row inside one pair of quotes"
    partial = set(ADDED) <= {heading.casefold() for heading in header.headings.values()}
    if partial:
        dialect["extent"] = "mended rows"
    preamble = tuple(record.cells for record in rows[: header.rows])
    return Sheet(lines, header, metadata(rows[: header.top]), preamble, header.top, delimiter, dialect, partial)


def _as_table(
    text: str, settings: TableSettings, roles: Roles, marks: Mapping[str, str]
) -> tuple[list[Record], str, bool, Header]:
    """The only reading of the text that shows the header: one delimiter, rows plain or each inside quotes."""
    found: list[tuple[list[Record], str, bool, Header]] = []
    troubles: list[FileRefused] = []
    for delimiter in (settings.delimiter,) if settings.delimiter else DELIMITERS:
        for wrapped in (False, True):
            header = None
            try:
                plain = records(text, delimiter, settings)
                stream = unwrapped(plain, delimiter, settings) if wrapped else plain
                rows = list(islice(stream, 2 * SEARCHED))
                header = find_header(rows, roles, marks)
                if header is not None:
                    rows.extend(stream)
            except FileRefused as refused:
                if header is not None:
                    raise  # this was the way to read it, and it breaks further down
                troubles.append(refused)
                break
            if header is not None:
                found.append((rows, delimiter, wrapped, header))
                break
    if len(found) == 1:
        return found[0]
    if found:
        raise FileRefused(
            "delimiter-ambiguous",
            "the header can be read with two delimiters: declare the delimiter of the feed",
            "judul kolom dapat dibaca dengan dua pemisah: tetapkan pemisah kolom untuk umpan ini",
        )
    if troubles:
        raise max(troubles, key=lambda refused: refused.line or 0)
    raise FileRefused(
        "no-header",
        "no header row was found: it must name the columns " + ", ".join(marks.values()),
        "judul kolom tidak ditemukan: harus memuat kolom " + ", ".join(marks.values()),
    )


def _lines(body: Sequence[Record], header: Header, has_code: HasCode) -> list[Line]:
    lines: list[Line] = []
    amounts = [header.roles[role] for role in ("amount", "after", "before") if role in header.roles]
    for record in body:
        if record.blank:
            continue
        stray = any(cell.strip() and place not in header.headings for place, cell in enumerate(record.cells))
        if stray or has_code(record, header) or any(record.cell(place) for place in amounts):
            lines.append(Line(record, _width_problems(record, header, stray=stray)))
        elif lines:
            lines[-1].further.append(record)
        else:
            lines.append(Line(record, [_continues_nothing()]))
    return lines


def _width_problems(record: Record, header: Header, *, stray: bool) -> list[FieldProblem]:
    if not stray and len(record.cells) >= header.needed:
        return []
    wanted = sum(not is_added(heading) for heading in header.headings.values())
    english = f"the row has {len(record.cells)} columns and the header {wanted}: "
    indonesian = f"baris memiliki {len(record.cells)} kolom sedangkan judul {wanted}: "
    if stray:
        english += "a thousands separator or comma outside quotes split a cell; quote it or use another delimiter"
        indonesian += (
            "pemisah ribuan atau koma di luar tanda kutip memecah sel; beri tanda kutip atau gunakan pemisah kolom lain"
        )
    else:
        english += "fill in the missing ones"
        indonesian += "lengkapi kolom yang kurang"
    return [FieldProblem("columns", english, indonesian)]


def _continues_nothing() -> FieldProblem:
    return FieldProblem(
        "code",
        "the row has neither code nor amount and there is no row above that it could continue",
        "baris tidak memiliki kode maupun jumlah dan tidak ada baris di atasnya yang dapat disambung",
    )
