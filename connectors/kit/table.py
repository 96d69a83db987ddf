"""CSV as offices write it: bytes into records that know their line and their exact text.

What can be declared (encoding, delimiter) is used as declared. What is not is detected by rules that refuse where
two answers are possible; the callers decide by the header, which only one delimiter can show.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bus.contract.feed import FileRefused, Reading

DELIMITERS = (";", ",", "\t")
DELIMITER_NAMES = {";": "semicolon", ",": "comma", "\t": "tab"}


@dataclass(frozen=True, slots=True)
class TableSettings:
    """What a feed declares about its files (None: detected), and the limits that keep one file from taking all."""

    encoding: str | None = None
    delimiter: str | None = None
    number_form: str | None = None
    max_bytes: int = 50 * 1024 * 1024
    max_rows: int = 200_000
    max_columns: int = 200


Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One CSV record: the line it starts on (from 1), its cells, its text as it stands in the file."""

    line: int
    cells: Cells
    raw: str

    @property
    def blank(self) -> bool:
        """Whether no cell holds anything."""
        return not any(cell.strip() for cell in self.cells)

    def cell(self, index: int | None) -> str:
        """The stripped cell, empty where the record is too short or the table lacks that column."""
        return self.cells[index].strip() if index is not None and index < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class TableReading(Reading):
    """A reading that can give its refused rows back as a file of the same form.

    ``preamble`` holds the records down to the end of the header, which begins at ``header``; ``cells`` the records
    of each row, by row number; ``hints`` text that the reader wants back when a mended row returns alone.
    """

    delimiter: str = ","
    preamble: tuple[Cells, ...] = ()
    header: int = 0
    cells: Mapping[int, tuple[Cells, ...]] = field(default_factory=dict)
    hints: Mapping[int, str] = field(default_factory=dict)


def decode(content: bytes, settings: TableSettings) -> tuple[str, str]:
    """The text and the encoding it was read by: UTF-8 strictly, else cp1252 where every byte has a meaning in it."""
    if len(content) > settings.max_bytes:
        raise FileRefused(
            "file-too-large",
            f"the file is larger than {settings.max_bytes} bytes: split it by document",
            f"berkas lebih besar dari {settings.max_bytes} bita: pisahkan per dokumen",
        )
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise FileRefused("empty-file", "the file is empty", "berkas kosong")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise FileRefused(
            "not-text",
            "the file is UTF-16 or binary: save it as CSV UTF-8",
            "berkas berformat UTF-16 atau biner: simpan sebagai CSV UTF-8",
        )
    if settings.encoding is not None:
        return _as_declared(content, settings.encoding)
    try:
        text = content.decode("utf-8-sig")
        return text, "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"
    except UnicodeDecodeError:
        return _as_declared(content, "cp1252")


def _as_declared(content: bytes, encoding: str) -> tuple[str, str]:
    try:
        # Python's cp1252 has no meaning for the five bytes that would be C1 controls, so they are refused here.
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding), encoding
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileRefused(
            "encoding",
            f"line {line} is not text in {encoding}: save the file as CSV UTF-8",
            f"baris {line} bukan teks {encoding}: simpan berkas sebagai CSV UTF-8",
            line,
        ) from None


def records(text: str, delimiter: str, settings: TableSettings) -> Iterator[Record]:
    """Every record of the text, blank ones too. A quote that is never closed is refused with the line it opens on."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    while True:
        start = reader.line_num + 1
        try:
            cells = tuple(next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            raise _unreadable(error, start) from None
        number += 1
        if number > settings.max_rows:
            raise FileRefused(
                "too-many-rows",
                f"the file has more than {settings.max_rows} rows: split it by document",
                f"berkas lebih dari {settings.max_rows} baris: pisahkan per dokumen",
                start,
            )
        if len(cells) > settings.max_columns:
            raise FileRefused(
                "too-many-columns",
                f"line {start} has more than {settings.max_columns} columns: check the delimiter",
                f"baris {start} lebih dari {settings.max_columns} kolom: periksa pemisah kolom",
                start,
            )
        yield Record(start, cells, lines.taken())


def unwrapped(wrapped: Iterator[Record], delimiter: str, settings: TableSettings) -> Iterator[Record]:
    """The records of a file whose every row stands inside one more pair of quotes."""
    for record in wrapped:
        inner = list(records(record.cells[0], delimiter, settings)) if len(record.cells) == 1 else [record]
        if len(inner) > 1:
            raise FileRefused(
                "quotes",
                f"line {record.line} holds several rows inside one pair of quotes: save the file again as CSV",
                f"baris {record.line} memuat beberapa baris di dalam satu pasang tanda kutip: simpan ulang sebagai CSV",
                record.line,
            )
        cells = inner[0].cells if inner else ()
        yield Record(record.line, cells, record.raw)


class _Lines:
    """The text line by line, remembering what the CSV reader took since it was last asked."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self._taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken.append(line)
        return line

    def taken(self) -> str:
        text = "".join(self._taken)
        self._taken.clear()
        return text


def _unreadable(error: csv.Error, line: int) -> FileRefused:
    if "field larger" in str(error):
        return FileRefused(
            "field-too-long",
            f"a cell of the row at line {line} is longer than {csv.field_size_limit()} characters: "
            "look for a quote that is not closed",
            f"satu sel pada baris {line} lebih panjang dari {csv.field_size_limit()} karakter: "
            "periksa tanda kutip yang tidak ditutup",
            line,
        )
    return FileRefused(
        "quotes",
        f"the quotes of the row at line {line} do not close properly: nothing of the file was taken",
        f"tanda kutip pada baris {line} tidak ditutup dengan benar: tidak ada isi berkas yang diambil",
        line,
    )
