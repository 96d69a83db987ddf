"""Field types of the canonical model, each with the format it accepts.

Sources: the code formats were measured on real feeds (22-character OPD code, sub kegiatan, rekening);
money is a decimal string because JSON numbers lose cents above 2**53.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

WIB = timezone(timedelta(hours=7), "WIB")
"""Western Indonesia Time (Waktu Indonesia Barat), Surabaya's zone, without daylight saving."""

# [0-9] and not \d throughout: \d also matches digits of other scripts, which would be second spellings of a key.
_MONEY = re.compile(r"-?(0|[1-9][0-9]{0,19})\.[0-9]{2}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,6})?")
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters (tab and line ends are text) and lone surrogates: categories Cc and Cs."""

_CENT = Decimal("0.01")


def _money(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _whole_cents(value)
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise ValueError('money is a decimal string with two decimals, such as "1250000000.00"')
    return Decimal(value)


def _whole_cents(value: Decimal) -> Decimal:
    if not value.is_finite() or abs(value) >= Decimal(10) ** 20 or value != value.quantize(_CENT):
        raise ValueError("money has at most two decimals and twenty digits before them")
    return value.quantize(_CENT)


def _quantity(value: Any) -> Any:
    if isinstance(value, Decimal):
        value = format(value.normalize(), "f")
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError('a quantity is a decimal string such as "12.5", at most six decimals')
    return Decimal(value)


def _date(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError("a date is written YYYY-MM-DD")
        return date.fromisoformat(value)
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("a date is written YYYY-MM-DD")  # noqa: TRY004  # pydantic takes ValueError only
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(_MOMENT, value):
            raise ValueError("a time is written 2025-01-31T14:00:00+07:00, with its zone")
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("a time carries its zone, such as +07:00")
    return value


def _plain_text(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("text holds no control characters")
    return value


def _key_text(value: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in value):
        raise ValueError("a key holds no control or format characters")
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError("a key is written in Unicode normal form C")
    if value != value.strip() or "  " in value:
        raise ValueError("a key has no blanks at its ends and no two in a row")
    return value


def account_segments(code: str) -> tuple[int, ...]:
    """The six integers of an account code (kode rekening), however it is padded.

    ``5.1.02.01.01.0024``, ``5.1.02.01.001.00024`` and ``5.1.2.1.1.24`` are one account. Raises ValueError.
    """
    parts = code.strip().rstrip(".").split(".")
    if len(parts) != 6 or not all(re.fullmatch(r"[0-9]{1,5}", part) for part in parts):
        raise ValueError("an account (kode rekening) has six segments, such as 5.1.02.01.01.0024")
    return tuple(int(part) for part in parts)


def account_code(code: Any) -> Any:
    """The one spelling of an account that the hub stores: ``5.1.02.01.01.0024``."""
    if not isinstance(code, str):
        raise ValueError("an account (kode rekening) is text, such as 5.1.02.01.01.0024")  # noqa: TRY004 - pydantic reports ValueError alone
    return "{}.{}.{:02d}.{:02d}.{:02d}.{:04d}".format(*account_segments(code))


AGENCY_PATTERN = r"^[0-9]\.[0-9]{2}\.[0-9]\.[0-9]{2}\.[0-9]\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}$"
ACTIVITY_PATTERN = r"^[0-9]\.[0-9]{2}\.[0-9]{2}\.[0-9]\.[0-9]{2}\.([0-9]{4}|[0-9]{2})$"

Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    PlainSerializer(lambda value: f"{value:.2f}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,19})\.[0-9]{2}$"}),
]
"""Rupiah as a decimal with two decimals; in JSON a string, ``"1250000000.00"``."""

Quantity = Annotated[
    Decimal,
    BeforeValidator(_quantity),
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,6})?$"}),
]
"""An amount of something that is not money (volume, per cent); in JSON a decimal string."""

Date = Annotated[date, BeforeValidator(_date), Field(strict=False)]
"""A calendar day, ISO 8601."""

Moment = Annotated[datetime, BeforeValidator(_moment), Field(strict=False)]
"""A point in time with its zone, ISO 8601; local times carry +07:00."""

FiscalYear = Annotated[int, Field(ge=2000, le=2099)]
"""Tahun anggaran, 2000-2099, an integer."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000), AfterValidator(_plain_text)]
"""Free text as the source wrote it."""

KeyText = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(_key_text)]
"""Text that is part of a key: NFC, no control characters, single blanks."""

AgencyCode = Annotated[str, StringConstraints(pattern=AGENCY_PATTERN)]
"""Kode OPD: 22 characters ``d.dd.d.dd.d.dd.dd.dddd``."""

ActivityCode = Annotated[str, StringConstraints(pattern=ACTIVITY_PATTERN)]
"""Kode sub kegiatan ``d.dd.dd.d.dd.dddd`` (two-digit tail before the 2023 lists)."""

AccountCode = Annotated[
    str,
    BeforeValidator(account_code),
    WithJsonSchema({"type": "string", "pattern": r"^\d\.\d\.\d{2,5}\.\d{2,5}\.\d{2,5}\.\d{4,5}$"}),
]
"""Kode rekening: any padding is taken, one spelling is stored."""

Addendum = Annotated[int, Field(ge=0, le=99)]
"""Version of a contract: 0 the contract itself, 1 its first addendum."""

RegisterCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,63}$")]
"""A register's own code: kd_tender, kd_nontender, a ULID."""

RupCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]
"""kd_rup, the code of a package in the national plan (RUP)."""
