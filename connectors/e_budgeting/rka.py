"""Reader of e-Budgeting's own RKA/DPA export: the feed ``rka``. The format is described in this folder's README."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bus.contract.feed import FieldProblem, Reading, Row
from connectors.kit.numbers import ColumnForm, NumberUnread, column_forms
from connectors.kit.table import Record, TableReading, TableSettings

from .headings import Header, Roles
from .sheet import Line, Sheet, open_sheet

ROLES: Roles = {
    "fiscal_year": frozenset({"tahun", "tahunanggaran"}),
    "agency": frozenset({"kodeskpd", "kodeopd", "kodesubskpd", "kodesatker", "kodeunit"}),
    "agency_name": frozenset({"namaskpd", "namaopd", "namasubskpd", "namasatker", "namaunit"}),
    "activity": frozenset({"kodesubgiat", "kodesubkegiatan"}),
    "activity_name": frozenset({"namasubgiat", "namasubkegiatan", "subkegiatan"}),
    "account": frozenset({"kodeakun", "koderekening", "koderek", "norekening"}),
    "account_name": frozenset({"namaakun", "namarekening"}),
    "description": frozenset({"uraian", "keterangan", "namakomponen"}),
    "volume": frozenset({"volume", "vol", "koefisien"}),
    "unit": frozenset({"satuan"}),
    "unit_price": frozenset({"hargasatuan", "harga"}),
    "amount": frozenset({"rincian", "jumlah", "pagu", "nilai", "total", "anggaran"}),
    "amount_before": frozenset({"rincianmurni", "pagumurni", "jumlahmurni", "nilaimurni", "rinciansebelum"}),
    "fund_source": frozenset({"namadana", "sumberdana"}),
    "stage": frozenset({"tahap", "tahapan"}),
}
TITLE = "RKA"
"""The document title of an export that has no line *Judul*."""

_MARKS = {"account": "kode_akun", "activity": "kode_sub_giat", "amount": "rincian"}
_CODES = ("agency", "activity", "account")
_NUMBERS = ("amount", "amount_before", "volume", "unit_price")


def read(content: bytes, _filename: str, settings: TableSettings | None = None) -> Reading:
    """Read one export. Raises FileRefused with what to mend. The file name plays no part in the meaning."""
    settings = settings or TableSettings()
    sheet = open_sheet(content, settings, ROLES, _MARKS, _has_code)
    columns = {role: sheet.header.roles[role] for role in _NUMBERS if role in sheet.header.roles}
    sound = [line for line in sheet.lines if not line.problems]
    forms = column_forms(
        {sheet.header.headings[place]: [line.record.cell(place) for line in sound] for place in columns.values()},
        settings.number_form,
    )
    by_role = {role: forms[sheet.header.headings[place]] for role, place in columns.items()}
    headings = {role: sheet.header.heading(role) for role in ROLES if role in sheet.header.roles}
    rows = [_row(number, line, sheet, by_role, headings) for number, line in enumerate(sheet.lines, start=1)]
    cells = {number: line.cells for number, line in enumerate(sheet.lines, start=1)}
    dialect = {**sheet.dialect, "number_form": ", ".join(sorted({form.label for form in forms.values()}))}
    return TableReading(
        rows,
        dialect,
        delimiter=sheet.delimiter,
        preamble=sheet.preamble,
        header=sheet.header_at,
        cells=cells,
        whole=not sheet.partial,
    )


def _has_code(record: Record, header: Header) -> bool:
    return any(record.cell(header.roles.get(role)) for role in _CODES)


def _row(
    number: int, line: Line, sheet: Sheet, forms: Mapping[str, ColumnForm], headings: Mapping[str, str | None]
) -> Row:
    roles = sheet.header.roles
    above = {name: " ".join(text.split()) for name, text in sheet.metadata.items()}
    values: dict[str, Any] = {role: line.record.cell(roles.get(role)) or None for role in ROLES}
    values |= {
        "region": above.get("region", ""),
        "organisation": above.get("organisation") or None,
        "document": above.get("document") or TITLE,
        "columns": headings,
    }
    if line.further:
        values["description"] = "\n".join(text for text in (values["description"], *line.continued()) if text)
    _settle_year(values, above.get("year"), line, sheet)
    if not any(problem.field == "columns" for problem in line.problems):
        for role, form in forms.items():
            values[role] = _number(values[role], role, form, line, sheet)
    return Row(number, line.record.line, values, line.raw, tuple(line.problems))


def _settle_year(values: dict[str, Any], above: str | None, line: Line, sheet: Sheet) -> None:
    """The year stands in the row, above the header, or in both, but then it must be one."""
    if values["fiscal_year"] and above and values["fiscal_year"] != above:
        line.problems.append(
            FieldProblem(
                "fiscal_year",
                "the year of the row differs from the year above the header",
                "tahun pada baris berbeda dengan tahun di atas judul kolom",
                sheet.header.heading("fiscal_year"),
            )
        )
    values["fiscal_year"] = values["fiscal_year"] or above


def _number(cell: str | None, role: str, form: ColumnForm, line: Line, sheet: Sheet) -> str | None:
    """The number of a cell as plain digits with a decimal point; what cannot be read is a problem of the line."""
    if cell is None or cell == "-":
        return None
    try:
        return format(form.read(cell) if role == "volume" else form.read_money(cell), "f")
    except NumberUnread as unread:
        line.problems.append(FieldProblem(role, unread.english, unread.indonesian, sheet.header.heading(role)))
        return None
