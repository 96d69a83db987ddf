"""Reader of published budget documents (APBD, penjabaran, realisasi): the feed ``apbd``.

What the neighbours of a line tell is worked out here, so that the mapping stays a function of one row: the
normalised code, its level, and whether the line is a leaf.

Which amount counts: *Sesudah* (after the revision) where the document has it, with *Sebelum* as the amount before;
else *Jumlah*. In a document with a header of several lines (revenue and spending by organisation) it is
*Belanja / Setelah Perubahan / Jumlah Belanja*; its other figures stay in the raw row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bus.contract.feed import FieldProblem, FileRefused, Reading, Row
from connectors.kit.errors_csv import HINT
from connectors.kit.numbers import ColumnForm, NumberUnread, column_forms
from connectors.kit.table import Record, TableReading, TableSettings

from .code_tree import CodeUnread, branches, code_segments
from .headings import Header, Roles
from .sheet import Line, Sheet, open_sheet

ROLES: Roles = {
    "code": frozenset({"kode", "norekening", "koderekening", "norek", "koderek", "kodeakun"}),
    "description": frozenset({"uraian", "urusanpemerintahandaerah", "namarekening", "uraianrekening"}),
    "amount": frozenset({"jumlah", "jumlahrp", "jumlahanggaran", "anggaran", "pagu", "nilai"}),
    "after": frozenset({"sesudah", "setelah", "sesudahperubahan", "setelahperubahan"}),
    "before": frozenset({"sebelum", "sebelumperubahan"}),
    "note": frozenset({"keterangan", "penjelasan"}),
    "hint": frozenset({HINT}),
}
_MARKS = {"code": "Kode Rekening", "description": "Uraian"}
_CODE_LIKE = re.compile(r"\d+\s*(\.|$)")
_YEAR = re.compile(r"20\d\d", re.ASCII)


def read(content: bytes, _filename: str, settings: TableSettings | None = None) -> Reading:
    """Read one budget document. Raises FileRefused with what to mend. The file name plays no part in the meaning."""
    settings = settings or TableSettings()
    sheet = open_sheet(content, settings, ROLES, _MARKS, _has_code)
    document = _document(sheet)
    after = next((role for role in ("after", "amount") if role in sheet.header.roles), None)
    if after is None:
        raise FileRefused(
            "no-amount",
            "the header has no column Jumlah or Sesudah",
            "judul kolom tidak memuat kolom Jumlah atau Sesudah",
        )
    columns = {role: sheet.header.roles[role] for role in (after, "before") if role in sheet.header.roles}
    sound = [line for line in sheet.lines if not line.problems]
    headings = {role: sheet.header.headings[place] for role, place in columns.items()}
    told = column_forms(
        {headings[role]: [line.record.cell(place) for line in sound] for role, place in columns.items()},
        settings.number_form,
    )
    forms = {role: told[heading] for role, heading in headings.items()}
    rows = _rows(sheet, document, after, forms)
    dialect = {**sheet.dialect, "amount_column": sheet.header.heading(after) or ""}
    dialect["number_form"] = forms[after].label
    cells = {number: line.cells for number, line in enumerate(sheet.lines, start=1)}
    hints = {row.number: "ya" if row.values["leaf"] else "tidak" for row in rows if row.values["leaf"] is not None}
    return TableReading(
        rows,
        dialect,
        delimiter=sheet.delimiter,
        preamble=sheet.preamble,
        header=sheet.header_at,
        cells=cells,
        hints=hints,
        whole=not sheet.partial,
    )


def _has_code(record: Record, header: Header) -> bool:
    """Text in the code's column is no code: signatures and details stand there too."""
    return _CODE_LIKE.match(record.cell(header.roles["code"])) is not None


def _document(sheet: Sheet) -> Mapping[str, str]:
    """The document's identity from the lines above the header."""
    found = {name: " ".join(value.split()) for name, value in sheet.metadata.items()}
    year = found.get("year", "")
    for name, label in (("document", "Judul"), ("region", "Daerah"), ("year", "Tahun")):
        if not found.get(name) or (name == "year" and not _YEAR.fullmatch(year)):
            raise FileRefused(
                "metadata",
                f"the lines above the header must give {label}" + (" as a year 2000-2099" if name == "year" else ""),
                f"baris di atas judul kolom harus memuat {label}"
                + (" berupa tahun 2000-2099" if name == "year" else ""),
            )
    organisation = found.get("organisation", "").rstrip(". ") or found.get("organisation_name", "")
    if not organisation:
        raise FileRefused(
            "metadata",
            "the lines above the header must give Kode Organisasi or Nama Organisasi",
            "baris di atas judul kolom harus memuat Kode Organisasi atau Nama Organisasi",
        )
    return {
        "region": found["region"],
        "fiscal_year": year,
        "organisation": organisation,
        "organisation_name": found.get("organisation_name", ""),
        "document": found["document"],
    }


def _rows(sheet: Sheet, document: Mapping[str, str], after: str, forms: Mapping[str, ColumnForm]) -> list[Row]:
    codes: list[tuple[int, ...] | None] = []
    for line in sheet.lines:
        try:
            codes.append(code_segments(line.record.cell(sheet.header.roles["code"])))
        except CodeUnread as unread:
            codes.append(None)
            if not line.problems:
                line.problems.append(_problem(sheet, "code", unread.english, unread.indonesian))
    parents = branches(code for code in codes if code)
    rows = []
    for number, (line, code) in enumerate(zip(sheet.lines, codes, strict=True), start=1):
        values = _values(sheet, document, line, after, forms)
        values |= {
            "code": ".".join(map(str, code)) if code is not None else None,
            "level": len(code) if code is not None else None,
            "leaf": _leaf(sheet, line, code, parents),
        }
        rows.append(Row(number, line.record.line, values, line.raw, tuple(line.problems)))
    return rows


def _leaf(sheet: Sheet, line: Line, code: tuple[int, ...] | None, parents: set[tuple[int, ...]]) -> bool | None:
    """Whether nothing lies below. Of a line that came back alone only the whole document can tell: its hint does."""
    if not code:
        return False if code is not None else None
    if not sheet.partial:
        return code not in parents
    hint = line.record.cell(sheet.header.roles.get("hint")).casefold()
    if hint in {"ya", "tidak"}:
        return hint == "ya"
    if not line.problems:
        line.problems.append(
            FieldProblem(
                "leaf",
                "whether a line lies below this one shows only in the whole document: mend it there",
                "ada tidaknya rincian di bawah baris ini hanya tampak pada dokumen utuh: perbaiki di sana",
                HINT,
            )
        )
    return None


def _values(
    sheet: Sheet, document: Mapping[str, str], line: Line, after: str, forms: Mapping[str, ColumnForm]
) -> dict[str, Any]:
    roles = sheet.header.roles
    note = [line.record.cell(roles.get("note")), *line.continued()]
    headings = {"amount": after, "amount_before": "before", "raw_code": "code"}
    names = ("code", "raw_code", "description", "amount", "amount_before", "note")
    return {
        **document,
        "raw_code": line.record.cell(roles["code"]) or None,
        "description": line.record.cell(roles["description"]) or None,
        "amount": _amount(sheet, line, after, "amount", forms),
        "amount_before": _amount(sheet, line, "before", "amount_before", forms),
        "note": "\n".join(text for text in note if text) or None,
        "columns": {name: heading for name in names if (heading := sheet.header.heading(headings.get(name, name)))},
    }


def _amount(sheet: Sheet, line: Line, role: str, name: str, forms: Mapping[str, ColumnForm]) -> str | None:
    """The number of a cell as plain digits with a decimal point; what cannot be read is a problem of the line."""
    cell = line.record.cell(sheet.header.roles.get(role))
    if not cell or (line.problems and line.problems[0].field == "columns"):
        return None
    try:
        return format(forms[role].read_money(cell), "f")
    except NumberUnread as unread:
        problem = _problem(sheet, role, unread.english, unread.indonesian)
        line.problems.append(FieldProblem(name, problem.english, problem.indonesian, problem.column))
        return None


def _problem(sheet: Sheet, role: str, english: str, indonesian: str) -> FieldProblem:
    return FieldProblem(role, english, indonesian, sheet.header.heading(role))
