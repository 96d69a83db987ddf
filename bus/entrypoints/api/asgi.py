"""The few things that a plain ASGI handler needs: the body within its limit, headers, an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from bus.contract.errors import Problem, Refused

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Gone(Exception):
    """The caller hung up before its body was whole: there is nobody to answer."""


def headers_of(scope: Scope) -> dict[str, list[str]]:
    """Header values by lower-case name, each header line by itself."""
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def single(headers: Mapping[str, list[str]], name: str) -> str | None:
    """The one value of a header. Raises Refused where it was sent twice: two readers would take different ones."""
    values = headers.get(name, [])
    if len(values) > 1:
        raise Refused(Problem("duplicate-header", "Duplicate header", 400, "a header was sent more than once"))
    return values[0].strip() if values else None


def too_large(limit: int) -> Refused:
    detail = f"the body may have {limit} bytes; send less, or in several requests"
    return Refused(Problem("too-large", "Too large", 413, detail))


async def body(receive: Receive, headers: Mapping[str, list[str]], limit: int) -> bytes:
    """The whole body. Raises Refused before more than ``limit`` is kept, at once where the header says it will be."""
    declared = single(headers, "content-length")
    if declared is not None and declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Gone
        part = event.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not event.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def answer(
    send: Send, status: int, content: bytes, media_type: str, headers: Iterable[tuple[str, str]] = ()
) -> None:
    lines = [(b"content-type", media_type.encode()), (b"content-length", str(len(content)).encode())]
    lines.extend((name.lower().encode(), value.encode()) for name, value in headers)
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": content})
