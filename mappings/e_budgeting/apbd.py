"""Feed ``apbd``: a line of a published budget document -> ``budget.document_line``.

The reader has worked out what needs the neighbours (normalised code, level, leaf) and written amounts as plain
digits; here one line becomes one record.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from mappings.canonical import BudgetDocumentLine, subject_of
from mappings.errors import FieldError
from mappings.plain_values import OptionalRupiah, OptionalWords, Rupiah, Year

from .document_lines import KeyWords, document_scope

_ACCOUNT_STARTS = (0, 5, 7)
"""Where an account can begin: alone; after urusan and organisation (``1.12 . 1.12.01``); after these, program and
kegiatan (``1.06 . 1.06.01 . 01 . 26``)."""

_ACCOUNT_GROUPS = ("4", "5", "6")
"""Pendapatan, belanja, pembiayaan, printed as one digit; program and kegiatan have two or three (``05``, ``005``)."""

_LONGEST_ACCOUNT = 5


def _code(value: Any) -> Any:
    if value is None:
        raise FieldError("", "the code cannot be read", "kode tidak dapat dibaca")
    return value


def _leaf(value: Any) -> Any:
    if not isinstance(value, bool):
        raise FieldError(
            "",
            "whether another line lies below this one is not known",
            "tidak diketahui apakah ada baris lain di bawah baris ini",
        )
    return value


class KeyColumns(BaseModel):
    """What identifies a line."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    region: KeyWords
    fiscal_year: Year
    organisation: KeyWords
    document: KeyWords
    code: Annotated[str, BeforeValidator(_code)]
    description: KeyWords

    def key(self) -> dict[str, Any]:
        """The key fields of the record."""
        return {name: getattr(self, name) for name in BudgetDocumentLine.KEY}


class Source(KeyColumns):
    """A line as the reader gives it: the columns Kode Rekening, Uraian, Jumlah or Sebelum/Sesudah, Keterangan."""

    raw_code: OptionalWords = None
    level: int
    leaf: Annotated[bool, BeforeValidator(_leaf)]
    amount: Rupiah
    amount_before: OptionalRupiah = None
    note: OptionalWords = None


def to_canonical(values: Mapping[str, Any]) -> BudgetDocumentLine:
    """Raises ValidationError or FieldError, which ``mappings.problems`` puts into both languages."""
    source = Source.model_validate(values)
    return BudgetDocumentLine(
        **source.key(),
        raw_code=source.raw_code,
        account=account_part(source.raw_code or ""),
        level=source.level,
        leaf=source.leaf,
        amount=source.amount,
        amount_before=source.amount_before,
        note=source.note,
    )


def account_part(printed: str) -> str:
    """The account (kode rekening) within a printed code, as integers: 0 to 5 segments.

    It begins with 4, 5 or 6, printed as one digit, at the start of the code, after five segments (urusan and
    organisation) or after seven (program and kegiatan too). Codes that squeeze an account into one segment
    (``002.511``) have none. Raises FieldError where more than five segments follow.
    """
    segments = re.findall(r"\d+", printed)
    for start in _ACCOUNT_STARTS:
        if start < len(segments) and segments[start] in _ACCOUNT_GROUPS:
            account = segments[start:]
            if len(account) > _LONGEST_ACCOUNT:
                raise FieldError(
                    "raw_code",
                    "the account part of the code has more than five segments",
                    "bagian rekening pada kode lebih dari lima segmen",
                )
            return ".".join(str(int(segment)) for segment in account)
    return ""


def record_key(values: Mapping[str, Any]) -> str | None:
    """The record's subject from the key columns alone; None if one of them cannot be read."""
    try:
        return subject_of(KeyColumns.model_validate(values).key().values())
    except ValidationError:
        return None


def scope(values: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    """``(region, year, organisation, document title)``: the document that a file replaces."""
    found = document_scope(values)
    return found if found and found[0] else None


def event_date(_values: Mapping[str, Any]) -> str:
    """Budget documents carry no time of change: within a file the last row of a key wins."""
    return ""
