"""Number forms of Indonesian offices: which character is the decimal mark is decided once for a column, never per cell.

``1.234.567,89`` and ``9296504639,00`` are the Indonesian form, ``1,234,567.89`` and ``817984536030.78`` the
English one, ``817.984.536.030^78`` the Indonesian one after a tool replaced every comma. ``(2.500,00)`` is
negative. A column whose cells would mean different sums in two forms is refused: ``1.234`` alone may be either.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from bus.contract.feed import FileRefused


def _form(thousands: str, decimal: str) -> re.Pattern[str]:
    t, d = re.escape(thousands), re.escape(decimal)
    return re.compile(
        rf"(?P<whole>\d{{1,20}}|[1-9]\d{{0,2}}(?:{t}\d{{3}}){{1,6}})(?:{d}(?P<part>\d{{1,7}}))?", re.ASCII
    )


FORMS = {"indonesian": _form(".", ","), "english": _form(",", "."), "caret": _form(".", "^")}
FORM_EXAMPLES = {"indonesian": "1.234.567,89", "english": "1,234,567.89", "caret": "1.234.567^89"}
_SCIENTIFIC = re.compile(r"-?\d+([.,]\d+)?[eE][+-]?\d+", re.ASCII)
_LONGEST = 60
_FEW = Decimal("0.05")
"""Share of cells that may stand against a column's form; they are refused singly. More, and the file is refused."""


class NumberUnread(ValueError):
    """A cell that is no number of the column's form; both texts leave the cell's content out."""

    def __init__(self, english: str, indonesian: str) -> None:
        super().__init__(english)
        self.english, self.indonesian = english, indonesian


@dataclass(frozen=True, slots=True)
class ColumnForm:
    """The form of one column. ``mixed``: some cells stand against it, so cells readable in two ways are refused too."""

    name: str
    mixed: bool = False
    told: bool = True
    """False where every cell is plain digits, which mean the same in all forms."""

    @property
    def label(self) -> str:
        """For the report of how a file was understood."""
        return "plain digits" if not self.told else self.name + (" (mixed)" if self.mixed else "")

    def read(self, cell: str) -> Decimal:
        """The number in a cell. Raises NumberUnread."""
        readings = _readings(cell)
        if _SCIENTIFIC.fullmatch(cell.strip()):
            raise NumberUnread(
                "a spreadsheet shortened the number to scientific notation and its digits are lost: "
                "write it out in full",
                "angka disingkat oleh lembar kerja menjadi notasi ilmiah sehingga digitnya hilang: tulis lengkap",
            )
        if self.name not in readings:
            raise NumberUnread(
                f"this is no number written like {FORM_EXAMPLES[self.name]}, as the rest of the column is",
                f"bukan angka dengan bentuk {FORM_EXAMPLES[self.name]} seperti isi kolom lainnya",
            )
        if self.mixed and len(set(readings.values())) > 1:
            raise NumberUnread(
                "the column mixes number forms and this number can be read in two ways: write it with its decimals",
                "kolom ini mencampur bentuk angka dan angka ini dapat dibaca dua cara: tulis dengan desimalnya",
            )
        return readings[self.name] + 0  # no negative zero

    def read_money(self, cell: str) -> Decimal:
        """An amount of rupiah: at most two decimals. Raises NumberUnread."""
        value = self.read(cell)
        if value != round(value, 2):
            raise NumberUnread(
                f"an amount has at most two decimals, and numbers here are written like {FORM_EXAMPLES[self.name]}",
                f"jumlah paling banyak dua desimal, dan angka di sini berbentuk {FORM_EXAMPLES[self.name]}",
            )
        return value


def column_forms(columns: Mapping[str, Iterable[str]], declared: str | None = None) -> dict[str, ColumnForm]:
    """Decide the form of every column, by its heading. Raises FileRefused where a column can be read in two ways.

    A column that does not tell (all ``1.234``) takes the form on which the columns that do tell agree.
    """
    if declared is not None:
        return {heading: ColumnForm(declared) for heading in columns}
    told: dict[str, ColumnForm] = {}
    open_columns: dict[str, list[Mapping[str, Decimal]]] = {}
    for heading, cells in columns.items():
        readings = [reading for reading in map(_readings, cells) if reading]
        form = _decide(heading, readings)
        if form is None:
            open_columns[heading] = readings
        else:
            told[heading] = form
    agreed = {form.name for form in told.values() if not form.mixed}
    for heading, readings in open_columns.items():
        if not any(len(set(reading.values())) > 1 for reading in readings):
            told[heading] = ColumnForm(next(iter(FORMS)), told=False)
        elif len(agreed) == 1:
            told[heading] = ColumnForm(next(iter(agreed)))
        else:
            raise FileRefused(
                "number-form-ambiguous",
                f"every number in column {heading!r} can be read in two ways (1.234 is 1234 or 1.234): "
                "write amounts with two decimals, or declare the number form of the feed",
                f"setiap angka pada kolom {heading!r} dapat dibaca dua cara (1.234 berarti 1234 atau 1,234): "
                "tulis jumlah dengan dua desimal, atau tetapkan bentuk angka untuk umpan ini",
            )
    return told


def _decide(heading: str, readings: list[Mapping[str, Decimal]]) -> ColumnForm | None:
    telling = [frozenset(reading) for reading in readings if len(reading) < len(FORMS)]
    if not telling:
        return None
    possible = frozenset(FORMS).intersection(*telling)
    if possible:
        sums = {tuple(reading[name] for reading in readings) for name in possible}
        return ColumnForm(next(name for name in FORMS if name in possible)) if len(sums) == 1 else None
    votes = Counter(name for forms in telling for name in forms)
    best, count = votes.most_common(1)[0]
    if Decimal(len(telling) - count) > _FEW * len(telling):
        raise FileRefused(
            "number-form-mixed",
            f"column {heading!r} mixes number forms (1.234.567,89 and 1,234,567.89): write all in one form",
            f"kolom {heading!r} mencampur bentuk angka (1.234.567,89 dan 1,234,567.89): tulis semua dalam satu bentuk",
        )
    return ColumnForm(best, mixed=True)


@lru_cache(maxsize=1 << 16)
def _readings(cell: str) -> Mapping[str, Decimal]:
    """What the cell means in each form that can read it; plain digits mean the same in all."""
    if len(cell) > _LONGEST:
        return {}
    body = re.sub(r"^Rp\.?\s*", "", cell.strip(), flags=re.IGNORECASE)
    negative = False
    if bracketed := re.fullmatch(r"\((.*)\)", body):
        body, negative = bracketed[1].strip(), True
    elif body.startswith(("-", "\N{MINUS SIGN}")):
        body, negative = body[1:].lstrip(), True
    found = {}
    for name, pattern in FORMS.items():
        if match := pattern.fullmatch(body):
            whole = re.sub(r"\D", "", match["whole"])
            value = Decimal(f"{whole}.{match['part']}" if match["part"] else whole)
            found[name] = -value if negative else value
    return found
