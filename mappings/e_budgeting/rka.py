"""Feed ``rka``: a row of e-Budgeting's own RKA/DPA export -> ``budget.line``."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from mappings.canonical import BudgetLine, subject_of
from mappings.canonical.fields import AccountCode, ActivityCode, AgencyCode
from mappings.errors import FieldError
from mappings.plain_values import (
    OptionalQuantity,
    OptionalRupiah,
    OptionalWords,
    Rupiah,
    Year,
    is_blank,
    read_text,
    required,
)

from .document_lines import document_scope

Stage = Literal["rka", "rapbd", "dpa", "pergeseran", "perubahan"]

_AGENCY_WIDTHS = (1, 2, 1, 2, 1, 2, 2, 4)
_ACTIVITY_WIDTHS = (1, 2, 2, 1, 2)
_DIVIDERS = re.compile(r"[.\-/\s]+")
_STAGES: dict[str, str] = {stage: stage for stage in get_args(Stage)} | {
    "murni": "dpa",
    "apbd": "dpa",
    "apbd murni": "dpa",
    "dppa": "perubahan",
    "dpa perubahan": "perubahan",
    "perubahan apbd": "perubahan",
    "papbd": "perubahan",
    "rapbd murni": "rapbd",
}


def _padded(parts: list[str], widths: tuple[int, ...]) -> str | None:
    """The segments in their widths, lost zeros put back; None where one is no number or too long."""
    if len(parts) != len(widths):
        return None
    if not all(
        re.fullmatch(r"[0-9]{1,4}", part) and len(part) <= width for part, width in zip(parts, widths, strict=True)
    ):
        return None
    return ".".join(part.zfill(width) for part, width in zip(parts, widths, strict=True))


def read_agency(value: Any) -> str | None:
    """Kode OPD in any spelling: other dividers than dots, zeros lost at the front of a segment, or no divider at all.

    All eight segments must be there: a missing one is never filled in.
    """
    text = read_text(value)
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{15}", text.strip()):
        digits, parts = text.strip(), []
        for width in _AGENCY_WIDTHS:
            parts.append(digits[:width])
            digits = digits[width:]
    else:
        parts = _DIVIDERS.split(text.strip())
    code = _padded(parts, _AGENCY_WIDTHS)
    if code is None:
        raise FieldError(
            "",
            "an OPD code has eight segments, such as 1.03.0.00.0.00.01.0000",
            "kode OPD terdiri atas delapan segmen, misalnya 1.03.0.00.0.00.01.0000",
        )
    return code


def read_activity(value: Any) -> str | None:
    """Kode sub kegiatan. Its last segment has two digits (lists before 2023) or four; one or three lost a zero."""
    text = read_text(value)
    if text is None:
        return None
    parts = _DIVIDERS.split(text.strip().rstrip("."))
    head = _padded(parts[:-1], _ACTIVITY_WIDTHS)
    if head is None or not re.fullmatch(r"[0-9]{2}|[0-9]{4}", parts[-1]):
        raise FieldError(
            "",
            "a sub kegiatan code has six segments, the last of two or four digits, such as 1.03.10.2.01.0029",
            "kode sub kegiatan terdiri atas enam segmen, segmen terakhir dua atau empat angka, "
            "misalnya 1.03.10.2.01.0029",
        )
    return f"{head}.{parts[-1]}"


def read_account(value: Any) -> str | None:
    """Kode rekening with whatever padding; the canonical field stores one spelling."""
    text = read_text(value)
    return None if text is None else _DIVIDERS.sub(".", text.strip())


def read_stage(value: Any) -> str | None:
    """Tahap: RKA, RAPBD, DPA (murni), pergeseran or perubahan."""
    if is_blank(value):
        return None
    stage = _STAGES.get(" ".join(str(value).casefold().split()))
    if stage is None:
        raise FieldError(
            "",
            "the stage is one of RKA, RAPBD, DPA, Pergeseran, Perubahan; leave it empty if none fits",
            "tahap diisi RKA, RAPBD, DPA, Pergeseran atau Perubahan; kosongkan bila tidak ada yang sesuai",
        )
    return stage


class KeyColumns(BaseModel):
    """What identifies a budget line: tahun, kode_skpd, kode_sub_giat, kode_akun."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    fiscal_year: Year
    agency: Annotated[AgencyCode, BeforeValidator(required(read_agency))]
    activity: Annotated[ActivityCode, BeforeValidator(required(read_activity))]
    account: Annotated[AccountCode, BeforeValidator(required(read_account))]

    def key(self) -> dict[str, Any]:
        """The key fields of the record."""
        return {name: getattr(self, name) for name in BudgetLine.KEY}


class Source(KeyColumns):
    """A row of the export. ``amount`` (rincian) may differ from volume x price: standard prices are rounded."""

    amount: Rupiah
    amount_before: OptionalRupiah = None
    description: OptionalWords = None
    volume: OptionalQuantity = None
    unit: OptionalWords = None
    unit_price: OptionalRupiah = None
    stage: Annotated[Stage | None, BeforeValidator(read_stage)] = None
    fund_source: OptionalWords = None
    agency_name: OptionalWords = None
    activity_name: OptionalWords = None
    account_name: OptionalWords = None


def to_canonical(values: Mapping[str, Any]) -> BudgetLine:
    """Raises ValidationError or FieldError, which ``mappings.problems`` puts into both languages."""
    source = Source.model_validate(values)
    return BudgetLine(**{name: getattr(source, name) for name in Source.model_fields})


def record_key(values: Mapping[str, Any]) -> str | None:
    """The record's subject from the key columns alone; None if one of them cannot be read."""
    try:
        return subject_of(KeyColumns.model_validate(values).key().values())
    except ValidationError:
        return None


def scope(values: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    """``(region, year, organisation, document title)``; the organisation is the line's own OPD where no line above
    the header names one, in one spelling, so that two exports of an OPD are one scope."""
    organisation = values.get("organisation") or values.get("agency")
    try:
        organisation = read_agency(organisation)
    except FieldError:
        if not values.get("organisation"):
            return None
    return document_scope({**values, "organisation": organisation})


def event_date(_values: Mapping[str, Any]) -> str:
    """The export carries no time of change: within a file the last row of a key wins."""
    return ""
