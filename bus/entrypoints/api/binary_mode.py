"""CloudEvents binary mode: attributes in ``ce-`` headers, data in the body (HTTP binding 1.0.2, section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from bus.contract.errors import Problem, Refused

from . import attributes, strict_json

PREFIX = "ce-"
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def is_binary(headers: Mapping[str, list[str]]) -> bool:
    return any(name.startswith(PREFIX) for name in headers)


def event_of(headers: Mapping[str, list[str]], content_type: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    """The event as one object, and its raw form: the headers that made it, a blank line, the body.

    Raises Refused for a header that was sent twice or cannot be decoded, and for a body that is not JSON.
    """
    event: dict[str, Any] = {}
    lines: list[str] = [f"content-type: {content_type}"]
    for name, values in sorted(headers.items()):
        if not name.startswith(PREFIX):
            continue
        attribute = name.removeprefix(PREFIX)
        if attribute in {"data", "datacontenttype"}:
            raise _bad_header(attribute, "is sent as body and Content-Type, not as a header")
        if len(values) > 1:
            raise _bad_header(attribute, "was sent more than once")
        event[attribute] = _decoded(attribute, values[0].strip())
        lines.append(f"{name}: {values[0].strip()}")
    event["datacontenttype"] = content_type
    event["data"] = strict_json.parse(body)
    return event, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _decoded(attribute: str, value: str) -> str:
    quoted = _QUOTED.fullmatch(value)
    if quoted:
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    if not value.isascii() or _BAD_ESCAPE.search(value):
        raise _bad_header(attribute, "must be percent-encoded: % itself and what is not printable ASCII")
    try:
        text = unquote_to_bytes(value).decode("utf-8")  # once: what is encoded twice stays encoded once
    except UnicodeDecodeError:
        raise _bad_header(attribute, "is not UTF-8 after percent-decoding") from None
    if "\x00" in text:
        raise _bad_header(attribute, "holds the character NUL")
    return text


def _bad_header(attribute: str, why: str) -> Refused:
    shown = attributes.shown_name(attribute)
    return Refused(Problem("invalid-header", "Invalid header", 400, f"the header ce-{shown} {why}"))
