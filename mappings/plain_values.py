"""Read single values the same way from JSON and from CSV, exactly or not at all.

JSON brings ``79747800``, ``Decimal("999995334.78")`` and null; a CSV export of the same rows brings
``"79747800"``, ``"999995334.78"`` and ``""``. Both must give one value, so that a record's hash does not depend
on the file format. Rules:

* null, ``""`` and blanks alone are "no value".
* A number is plain: ASCII digits, an optional point and at most two decimals for money. No exponent, no thousands
  separator (so ``79.747`` is refused instead of becoming 79 rupiah), no leading zeros, no ``NaN``, ``None``, ``null``.
* Binary floats are refused: their cents are already lost.
* A whole number may end in ``.0``: table tools write a column of integers that way once one cell is empty. From
  2**53 on such a column has lost digits and is refused.
* Codes are ASCII; text stays as the source wrote it.
"""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from .canonical.fields import Addendum, AgencyCode, FiscalYear, KeyText, Quantity, RegisterCode, Text
from .errors import FieldError
from .phrases import REQUIRED

_MONEY = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,2})?")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,6})?")
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]{0,18}))(\.0+)?")
_DIGITS = re.compile(r"([0-9]{1,30})(\.0+)?")
_EXACT_IN_FLOAT = 2**53

T = TypeVar("T")


def is_blank(value: Any) -> bool:
    """Null, an empty cell, or blanks alone."""
    return value is None or (isinstance(value, str) and not value.strip())


def required(read: Callable[[Any], T | None]) -> Callable[[Any], T]:
    """The same reader for a field that must have a value."""

    def reader(value: Any) -> T:
        result = read(value)
        if result is None:
            raise FieldError("", *REQUIRED)
        return result

    return reader


def read_money(value: Any) -> Decimal | None:
    """Rupiah, exact, at most two decimals."""
    return _decimal(
        value,
        _MONEY,
        "an amount is written as plain digits with at most two decimals after a point, such as 79747800 or "
        "999995334.78; leave the cell empty when there is none",
        "nilai uang ditulis dengan angka biasa, paling banyak dua desimal setelah titik, misalnya 79747800 atau "
        "999995334.78; kosongkan bila tidak ada",
    )


def read_quantity(value: Any) -> Decimal | None:
    """A measure or per cent, at most six decimals."""
    return _decimal(
        value,
        _DECIMAL,
        "a number is written as plain digits with at most six decimals after a point, such as 12.5; leave the "
        "cell empty when there is none",
        "bilangan ditulis dengan angka biasa, paling banyak enam desimal setelah titik, misalnya 12.5; kosongkan "
        "bila tidak ada",
    )


def _decimal(value: Any, form: re.Pattern[str], english: str, indonesian: str) -> Decimal | None:
    if is_blank(value):
        return None
    written = _written(value)
    if written is None or not form.fullmatch(written):
        raise FieldError("", english, indonesian)
    return Decimal(written)


def _written(value: Any) -> str | None:
    """The digits of a value as its file had them; None for what is no number."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return str(value)


def read_whole_number(value: Any) -> int | None:
    """An integer, also one that a table tool wrote as ``30.0``."""
    if is_blank(value):
        return None
    written = _written(value)
    match = _WHOLE.fullmatch(written) if written is not None else None
    if match is None or (match[2] and abs(int(match[1])) >= _EXACT_IN_FLOAT):
        raise FieldError(
            "",
            "a whole number in plain digits is expected; leave the cell empty when there is none",
            "harus bilangan bulat dengan angka biasa; kosongkan bila tidak ada",
        )
    return int(match[1])


def read_digits(value: Any) -> str | None:
    """A register's number used as a code (kd_nontender, kd_rup); leading zeros stay."""
    if is_blank(value):
        return None
    written = _written(value)
    match = _DIGITS.fullmatch(written) if written is not None else None
    if match is None or (match[2] and int(match[1]) >= _EXACT_IN_FLOAT):
        raise FieldError(
            "",
            "a code of digits is expected, without exponent, blanks or letters",
            "harus kode berupa angka, tanpa pangkat, spasi atau huruf",
        )
    return match[1]


def read_text(value: Any) -> str | None:
    """Free text as the source wrote it, blanks included; a number that stands for text becomes its digits."""
    if is_blank(value):
        return None
    if isinstance(value, str):
        return value
    written = _written(value)
    if written is None:
        raise FieldError("", "text is expected", "harus berupa teks")
    return written


def read_code(value: Any) -> str | None:
    """A code of letters, digits and signs; blanks at its ends do not belong to it."""
    text = read_text(value)
    if text is None:
        return None
    if not text.isascii():
        raise FieldError(
            "",
            "a code has plain letters, digits and signs only (ASCII)",
            "kode hanya memuat huruf, angka dan tanda biasa (ASCII)",
        )
    return text.strip()


def read_document_number(value: Any) -> str | None:
    """The number of a paper (no_kontrak, no_bast) in one spelling: NFC, every run of white space one blank.

    Clerks type these by hand, tabs and double blanks included; signs and upper or lower case stay, since nothing
    says that they do not distinguish two papers.
    """
    text = read_text(value)
    return None if text is None else " ".join(unicodedata.normalize("NFC", text).split())


def read_year(value: Any) -> int | None:
    """A fiscal year (tahun anggaran), 2000-2099."""
    year = read_whole_number(value)
    if year is not None and not 2000 <= year <= 2099:
        raise FieldError("", "a fiscal year from 2000 to 2099 is expected", "harus tahun anggaran 2000 sampai 2099")
    return year


Rupiah = Annotated[Decimal, BeforeValidator(required(read_money))]
OptionalRupiah = Annotated[Decimal | None, BeforeValidator(read_money)]
OptionalQuantity = Annotated[Quantity | None, BeforeValidator(read_quantity)]
OptionalWhole = Annotated[Annotated[int, Field(ge=0, le=2**53)] | None, BeforeValidator(read_whole_number)]
OptionalVersion = Annotated[Annotated[int, Field(ge=0, le=999)] | None, BeforeValidator(read_whole_number)]
AddendumVersion = Annotated[Addendum, BeforeValidator(required(read_whole_number))]
Year = Annotated[FiscalYear, BeforeValidator(required(read_year))]
Digits = Annotated[RegisterCode, BeforeValidator(required(read_digits))]
OptionalDigits = Annotated[str | None, BeforeValidator(read_digits)]
Code = Annotated[RegisterCode, BeforeValidator(required(read_code))]
Opd = Annotated[AgencyCode, BeforeValidator(required(read_code))]
Words = Annotated[Text, BeforeValidator(required(read_text))]
OptionalWords = Annotated[Text | None, BeforeValidator(read_text)]
DocumentNumber = Annotated[KeyText, BeforeValidator(required(read_document_number))]
OptionalDocumentNumber = Annotated[KeyText | None, BeforeValidator(read_document_number)]
