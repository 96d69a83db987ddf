"""Errors as RFC 9457 has them: one document for every refusal, and none that repeats the input."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from bus.contract.errors import Problem, Refused
from bus.engine.store_faults import DiskFull, StoreUnavailable, outage

MEDIA_TYPE = "application/problem+json"

RETRY_SECONDS = 2
"""What ``Retry-After`` says where the store cannot take a write now."""

FULL_SECONDS = 30
"""The same for a full disk: people have to make room."""

DISK_FULL = (
    "the disk of the hub's store is full: nothing was stored, and what was accepted before stays; send the same again "
    "later, the operators of the hub have to make room"
)


def store_unavailable(error: Exception | None = None) -> Refused:
    """``error`` is what the store said, if it tells more than that it is away."""
    if isinstance(error, DBAPIError):
        error = outage(error)
    if isinstance(error, DiskFull):
        return Refused(Problem("disk-full", "Disk full", 503, DISK_FULL), retry_after=FULL_SECONDS)
    detail = "the hub cannot write to its store now; nothing was stored, send the same again later"
    return Refused(Problem("store-unavailable", "Store unavailable", 503, detail), retry_after=RETRY_SECONDS)


def not_found(what: str = "") -> Refused:
    """The same for what does not exist and for what the caller may not see."""
    return Refused(Problem("not-found", "Not found", 404, f"no such {what}" if what else ""))


def invalid(field: str, english: str, indonesian: str) -> Refused:
    """One parameter is wrong."""
    return Refused(
        Problem(
            "invalid-request",
            "Invalid request",
            422,
            errors=[{"field": field, "english": english, "indonesian": indonesian}],
        )
    )


def encode(problem: Problem) -> bytes:
    return json.dumps(problem.document(), ensure_ascii=False).encode()


def response(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(refused.problem), refused.problem.status, headers_of(refused, headers), MEDIA_TYPE)


def headers_of(refused: Refused, more: Mapping[str, str] | None = None) -> dict[str, str]:
    headers = dict(more or {})
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    if refused.problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="arus"'
    return headers


_BY_STATUS: dict[int, tuple[str, str, str]] = {
    404: ("not-found", "Not found", ""),
    405: ("method-not-allowed", "Method not allowed", "the Allow header names the methods of this address"),
    415: ("unsupported-media-type", "Unsupported media type", ""),
}

_KINDS: dict[str, tuple[str, str]] = {
    "missing": ("this field is required", "wajib diisi"),
    "extra_forbidden": ("this field is not known; remove it", "isian ini tidak dikenal; hapus isian ini"),
    "json_invalid": ("the body is not JSON", "isi permintaan bukan JSON"),
    "string_too_short": ("this text is too short", "teks terlalu pendek"),
    "string_too_long": ("this text is too long", "teks terlalu panjang"),
    "literal_error": ("this is none of the allowed values", "bukan salah satu nilai yang diperbolehkan"),
    "int_parsing": ("a whole number is expected", "harus bilangan bulat"),
    "greater_than_equal": ("the number is too small", "bilangan terlalu kecil"),
    "less_than_equal": ("the number is too large", "bilangan terlalu besar"),
    "bool_parsing": ("true or false is expected", "harus true atau false"),
    "string_pattern_mismatch": ("this text has the wrong form", "bentuk teks salah"),
    "datetime_from_date_parsing": (
        "a time with zone is expected, such as 2025-01-31T14:00:00+07:00",
        "harus waktu dengan zona, misalnya 2025-01-31T14:00:00+07:00",
    ),
}
_KINDS["timezone_aware"] = _KINDS["datetime_parsing"] = _KINDS["datetime_from_date_parsing"]
_OTHER = ("the value cannot be read", "nilai tidak dapat dibaca")

_KNOWN_PLACES = frozenset({"body", "query", "path", "header"})


def of_validation(errors: Sequence[Mapping[str, Any]], known: frozenset[str]) -> Problem:
    """FastAPI's own answer repeats the input; this one names only fields that we know."""
    told = []
    for error in errors:
        english, indonesian = _KINDS.get(str(error["type"]), _OTHER)
        place = [str(part) for part in error["loc"] if part not in _KNOWN_PLACES]
        shown = ".".join(part if part in known or (part.isdigit() and len(part) < 6) else "?" for part in place)
        told.append({"field": shown, "english": english, "indonesian": indonesian})
    status = 400 if any(error["type"] == "json_invalid" for error in errors) else 422
    return Problem("invalid-request", "Invalid request", status, errors=told)


def install(app: FastAPI) -> None:
    """Every error that leaves ``app`` is a problem document."""

    @app.exception_handler(Refused)
    def _refused(_request: Request, error: Refused) -> Response:
        return response(error)

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> Response:
        return response(Refused(of_validation(error.errors(), _field_names(app))))

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> Response:
        slug, title, detail = _BY_STATUS.get(error.status_code, ("http-error", "The request failed", ""))
        return response(Refused(Problem(slug, title, error.status_code, detail)), error.headers)

    @app.exception_handler(StoreUnavailable)
    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeout)
    def _store(_request: Request, error: Exception) -> Response:
        return response(store_unavailable(error))

    @app.exception_handler(Exception)
    def _unexpected(_request: Request, _error: Exception) -> Response:
        detail = "the hub failed; the operators see the cause in its log"
        return response(Refused(Problem("internal-error", "Internal error", 500, detail)))


def _field_names(app: FastAPI) -> frozenset[str]:
    """The names that the OpenAPI document lists: what is not among them came from the sender."""
    cached: frozenset[str] | None = getattr(app.state, "field_names", None)
    if cached is None:
        document = app.openapi()
        names: set[str] = set()
        for schema in document.get("components", {}).get("schemas", {}).values():
            names |= set(schema.get("properties", {}))
        for path in document["paths"].values():
            for operation in path.values():
                names |= {parameter["name"] for parameter in operation.get("parameters", ())}
        cached = frozenset(names)
        app.state.field_names = cached
    return cached
