"""Whole-year snapshots of the ISB feeds: an array of flat JSON objects, or CSV of the same rows.

The two are told apart by content. JSON is read strictly and exactly: integers of any size, decimals as Decimal.
In CSV every value is text and an empty cell is null, as the mappings expect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from bus.contract.feed import FieldProblem, FileRefused, Reading, Row

from .errors_csv import ADDED
from .table import DELIMITER_NAMES, DELIMITERS, Record, TableReading, TableSettings, decode, records

_BLANKS = re.compile(r"[ \t\r\n]*")
_NAME = re.compile(r"\w[\w .-]{0,99}")


def read_snapshot(content: bytes, _filename: str, settings: TableSettings | None = None) -> Reading:
    """Read a snapshot. Raises FileRefused: empty, not UTF-8, broken JSON, no table."""
    settings = settings or TableSettings()
    text, encoding = decode(content, settings)
    start = _past_blanks(text, 0)
    if text[start] not in "[{":
        return _read_csv(text, encoding, settings)
    if not encoding.startswith("utf-8"):
        raise FileRefused("encoding", "JSON is UTF-8 and this file is not", "JSON harus UTF-8, berkas ini bukan")
    rows = [
        _json_row(number, value, raw, twice) for number, (value, raw, twice) in enumerate(_elements(text, start), 1)
    ]
    return Reading(_some(rows, settings), {"format": "json", "encoding": encoding})


def _some(rows: list[Row], settings: TableSettings) -> list[Row]:
    if not rows:
        raise FileRefused("empty-file", "the file holds no rows", "berkas tidak memuat baris")
    if len(rows) > settings.max_rows:
        raise FileRefused(
            "too-many-rows",
            f"the file has more than {settings.max_rows} rows",
            f"berkas lebih dari {settings.max_rows} baris",
        )
    return rows


def _elements(text: str, start: int) -> Iterator[tuple[Any, str, bool]]:
    """Each element of the array with its exact text, and whether a member name stood twice in it."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice.append("")
        return found

    decoder = json.JSONDecoder(object_pairs_hook=members, parse_float=Decimal, parse_constant=_no_constant)
    try:
        position = _after(text, start, "[")
        if text[position : position + 1] == "]":
            _nothing_after(text, position + 1)
            return
        while True:
            twice.clear()
            value, end = decoder.raw_decode(text, position)
            yield value, text[position:end], bool(twice)
            end = _past_blanks(text, end)
            if text[end : end + 1] == "]":
                _nothing_after(text, end + 1)
                return
            position = _after(text, end, ",")
    except RecursionError:
        raise FileRefused(
            "too-deep", "the JSON is nested too deeply", "susunan JSON bertingkat terlalu dalam"
        ) from None
    except json.JSONDecodeError as error:
        raise _broken(error.lineno) from None
    except ValueError:
        raise _broken(None) from None


def _no_constant(_name: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _after(text: str, position: int, wanted: str) -> int:
    if text[position : position + 1] != wanted:
        raise json.JSONDecodeError(f"{wanted} expected", text, position)
    return _past_blanks(text, position + 1)


def _past_blanks(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _nothing_after(text: str, position: int) -> None:
    if text[position:].strip():
        raise json.JSONDecodeError("nothing may follow the array", text, position)


def _broken(line: int | None) -> FileRefused:
    place, tempat = (f" at line {line}", f" pada baris {line}") if line else ("", "")
    return FileRefused(
        "not-json",
        f"the file is no complete JSON array of objects: it breaks{place}",
        f"berkas bukan larik objek JSON yang utuh: rusak{tempat}",
        line,
    )


def _json_row(number: int, value: Any, raw: str, twice: bool) -> Row:
    if not isinstance(value, dict):
        problem = FieldProblem(
            "", "the element is no object with named members", "elemen bukan objek dengan nama isian"
        )
        return Row(number, number, {}, raw, (problem,))
    problems = []
    if twice:
        problems.append(FieldProblem("", "a member name stands twice in the row", "satu nama isian muncul dua kali"))
    for name, member in value.items():
        if isinstance(member, dict | list):
            problems.append(
                FieldProblem(name, "a single value is expected, not a list or object", "harus nilai tunggal", name)
            )
        elif isinstance(member, str) and not _whole_unicode(member):
            problems.append(FieldProblem(name, "the text is not valid Unicode", "teks bukan Unicode yang sah", name))
    if not all(map(_whole_unicode, value)):
        problems = [FieldProblem("", "a member name is not valid Unicode", "nama isian bukan Unicode yang sah")]
    return Row(number, number, value, raw, tuple(problems))


def _whole_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _read_csv(text: str, encoding: str, settings: TableSettings) -> Reading:
    delimiter, table = _table(text, settings)
    header, *body = table
    names = [name.strip() for name in header.cells]
    filled = [record for record in body if not record.blank]
    rows = [_csv_row(number, record, names) for number, record in enumerate(filled, start=1)]
    cells = {number: (record.cells,) for number, record in enumerate(filled, start=1)}
    dialect = {"format": "csv", "encoding": encoding, "delimiter": DELIMITER_NAMES[delimiter]}
    return TableReading(
        _some(rows, settings),
        dialect,
        # A file of mended rows that comes back is a part: what it leaves out is not gone.
        whole=not set(ADDED) <= {name.casefold() for name in names},
        delimiter=delimiter,
        preamble=(header.cells,),
        cells=cells,
    )


def _table(text: str, settings: TableSettings) -> tuple[str, list[Record]]:
    """The records under the one delimiter that makes the first record a header of several different names."""
    found = []
    for delimiter in (settings.delimiter,) if settings.delimiter else DELIMITERS:
        first = next(records(text, delimiter, settings))
        names = [name.strip() for name in first.cells]
        if len(names) > 1 and len(set(names)) == len(names) and all(map(_NAME.fullmatch, names)):
            found.append(delimiter)
    if len(found) != 1:
        raise FileRefused(
            "no-header",
            "the first row must be a header of field names divided by , or ; alone",
            "baris pertama harus memuat nama kolom yang dipisah , atau ; saja",
            1,
        )
    return found[0], list(records(text, found[0], settings))


def _csv_row(number: int, record: Record, names: Sequence[str]) -> Row:
    problems: tuple[FieldProblem, ...] = ()
    if len(record.cells) != len(names):
        problems = (
            FieldProblem(
                "columns",
                f"the row has {len(record.cells)} columns and the header {len(names)}: check quotes and delimiter",
                f"baris memiliki {len(record.cells)} kolom, judul {len(names)}: periksa tanda kutip dan pemisah kolom",
            ),
        )
    values = {name: cell or None for name, cell in zip(names, record.cells, strict=False)}
    return Row(number, record.line, values, record.raw, problems)
