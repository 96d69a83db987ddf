"""Rules of single CloudEvents attributes, as DESIGN 4.2 has them. Pure; each raises Refused."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any

from bus.contract.errors import Problem, Refused
from bus.contract.message import Op

LONGEST_ID = 200
LONGEST_KEY = 1024
"""Bytes of a subject in UTF-8."""

KNOWN = frozenset(
    {
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "sequence",
        "partitionkey",
        "op",
        "traceparent",
        "tracestate",
    }
)
TRACE = frozenset({"traceparent", "tracestate"})
"""Not part of a message's content: a repeated send has another trace."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)
_SEQUENCE = re.compile(r"[0-9]{1,18}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)
_JSON = re.compile(r"application/([a-z0-9.!#$&^_-]+\+)?json(\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_YEARS = range(1970, 2200)


def refuse(slug: str, title: str, field: str, english: str, indonesian: str) -> Refused:
    """A 422 about one field."""
    return Refused(Problem(slug, title, 422, english, [{"field": field, "english": english, "indonesian": indonesian}]))


def _wrong(name: str, english: str, indonesian: str) -> Refused:
    return refuse("invalid-attribute", "Invalid attribute", name, f"{name}: {english}", f"{name}: {indonesian}")


def shown_name(name: str) -> str:
    """A name that a sender made up, if it is harmless to repeat."""
    return name if _NAME.fullmatch(name) else "?"


def check_names(event: dict[str, Any]) -> None:
    """No attribute that the hub would have to drop."""
    for name in event:
        if name not in KNOWN and name != "data":
            shown = shown_name(name)
            raise refuse(
                "unknown-attribute",
                "Unknown attribute",
                shown,
                f"the attribute {shown} is not known; remove it",
                f"atribut {shown} tidak dikenal; hapus atribut ini",
            )


def text(event: dict[str, Any], name: str) -> str | None:
    """An attribute that is a text, or absent."""
    value = event.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "must be a string", "harus berupa teks")
    return value


def required(event: dict[str, Any], name: str) -> str:
    value = text(event, name)
    if not value:
        raise _wrong(name, "is required", "wajib diisi")
    return value


def identifier(name: str, value: str) -> str:
    """``id`` and ``partitionkey``: 1 to 200 characters, nothing invisible."""
    if not value or len(value) > LONGEST_ID:
        raise _wrong(name, f"has 1 to {LONGEST_ID} characters", f"terdiri atas 1 sampai {LONGEST_ID} karakter")
    if not value.isprintable() and any(unicodedata.category(character) in _HIDDEN for character in value):
        raise _wrong(name, "holds no control or format characters", "tidak boleh berisi karakter kendali")
    return value


def moment(value: str) -> datetime:
    """``time``: RFC 3339 with its zone. What is finer than a microsecond is kept in the raw event alone."""
    written = value.upper()
    found = None
    if _TIME.fullmatch(written):
        try:
            found = datetime.fromisoformat(written)
        except ValueError:
            found = None
    if found is None or found.year not in _YEARS:
        raise _wrong(
            "time",
            "is written 2025-01-31T14:00:00+07:00, with its zone, from 1970 to 2199",
            "ditulis 2025-01-31T14:00:00+07:00, dengan zona waktu, antara 1970 dan 2199",
        )
    return found


def sequence(value: str) -> int:
    if not _SEQUENCE.fullmatch(value):
        raise _wrong("sequence", "is a string of 1 to 18 digits", "berupa teks 1 sampai 18 angka")
    return int(value)


def content_type(value: str) -> None:
    if not _JSON.fullmatch(value):
        raise _wrong("datacontenttype", "must be application/json in UTF-8", "harus application/json dalam UTF-8")


def specversion(value: str) -> None:
    if value != "1.0":
        raise _wrong("specversion", "must be 1.0", "harus 1.0")


def operation(value: str | None) -> Op:
    if value in {None, "upsert"}:
        return "upsert"
    if value == "delete":
        return "delete"
    raise _wrong("op", "is upsert or delete", "hanya upsert atau delete")


def dataschema(value: str) -> None:
    if not value or len(value) > LONGEST_KEY or not value.isprintable():
        raise _wrong("dataschema", "is a URI of at most 1024 characters", "berupa URI, paling panjang 1024 karakter")


def traceparent(value: Any) -> str | None:
    """W3C trace context; a broken one is ignored, as its specification asks."""
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None
