"""A budget file opened: which dialect it is written in, what stands above the header, and its lines.

A *line* is a CSV record with a code or an amount; a record with neither continues the line above (its text belongs
to that line's note), so signature lines at the end of a document are no lines of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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

from .headings import Header, Roles, find_header, metadata

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
        "header_line": str(rows[_top(rows, header, roles, marks)].line),
    }
    if wrapped:
        dialect["wrapped"] = "each row inside one pair of quotes"
    partial = set(ADDED) <= {heading.casefold() for heading in header.headings.values()}
    if partial:
        dialect["extent"] = "mended rows"
    top = _top(rows, header, roles, marks)
    preamble = tuple(record.cells for record in rows[: header.rows])
    return Sheet(lines, header, metadata(rows[:top]), preamble, top, delimiter, dialect, partial)


def _top(rows: Sequence[Record], header: Header, roles: Roles, marks: Mapping[str, str]) -> int:
    """The index of the header's first record: the shortest beginning of the file that shows the header."""
    return next(index for index in range(header.rows) if find_header(rows[: index + 1], roles, marks) is not None)


def _as_table(
    text: str, settings: TableSettings, roles: Roles, marks: Mapping[str, str]
) -> tuple[list[Record], str, bool, Header]:
    """The only reading of the text that shows the header: one delimiter, rows plain or each inside quotes."""
    found: list[tuple[list[Record], str, bool, Header]] = []
    troubles: list[FileRefused] = []
    for delimiter in (settings.delimiter,) if settings.delimiter else DELIMITERS:
        for wrapped in (False, True):
            try:
                plain = records(text, delimiter, settings)
                rows = list(unwrapped(plain, delimiter, settings) if wrapped else plain)
                header = find_header(rows, roles, marks)
            except FileRefused as refused:
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
        raise min(troubles, key=lambda refused: refused.line or 0)
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
    needed = max((place for role, place in header.roles.items() if role != "note"), default=0) + 1
    wanted = sum(not is_added(heading) for heading in header.headings.values())
    if stray:
        return [
            FieldProblem(
                "columns",
                f"the row has {len(record.cells)} columns and the header {wanted}: a thousands separator or comma "
                "outside quotes split a cell; put the cell in quotes or use another delimiter",
                f"baris memiliki {len(record.cells)} kolom sedangkan judul {wanted}: pemisah ribuan atau koma di luar "
                "tanda kutip memecah sel; beri tanda kutip atau gunakan pemisah kolom lain",
            )
        ]
    if len(record.cells) < needed:
        return [
            FieldProblem(
                "columns",
                f"the row has {len(record.cells)} columns and the header {wanted}: fill in the missing ones",
                f"baris memiliki {len(record.cells)} kolom sedangkan judul {wanted}: lengkapi kolom yang kurang",
            )
        ]
    return []


def _continues_nothing() -> FieldProblem:
    return FieldProblem(
        "code",
        "the row has neither code nor amount and there is no row above that it could continue",
        "baris tidak memiliki kode maupun jumlah dan tidak ada baris di atasnya yang dapat disambung",
    )
