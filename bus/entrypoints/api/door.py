"""The hot door: ``POST /v1/messages``, plain ASGI. Nobody hears "accepted" before the commit is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from sqlalchemy.exc import DBAPIError

from bus.contract.errors import Problem, Refused
from bus.contract.message import Incoming
from bus.engine.accept import Accepted
from bus.engine.writer import StoreUnavailable
from bus.entrypoints.wiring import Hub

from . import asgi, binary_mode, envelope, problems, strict_json
from .auth import Doorkeeper, check_scope
from .back_pressure import BackPressure
from .envelope import Sender
from .refusals import RefusalCounter

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"

PORTION = 512
"""Events that are given to the writer together."""

MOST_ITEMS = 100_000
"""Events of one batch or NDJSON body."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One event of several: checked, or refused."""

    id: str | None
    incoming: Incoming | None
    refused: Refused | None = None


class Door:
    """An ASGI application for one address and one method."""

    def __init__(self, hub: Hub, doorkeeper: Doorkeeper, refusals: RefusalCounter) -> None:
        self._hub = hub
        self._doorkeeper = doorkeeper
        self._refusals = refusals
        self._pressure = BackPressure(hub)

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        try:
            status, document = await self._serve(scope, receive)
        except asgi.Gone:
            return
        except Refused as refused:
            await _refuse(send, refused)
            return
        except (StoreUnavailable, DBAPIError) as error:
            await _refuse(send, problems.store_unavailable(error))
            return
        await asgi.answer(send, status, orjson.dumps(document), "application/json")

    async def _serve(self, scope: asgi.Scope, receive: asgi.Receive) -> tuple[int, Any]:
        headers = asgi.headers_of(scope)
        identity = await self._doorkeeper.identify(asgi.single(headers, "authorization"))
        check_scope(identity, "post")
        if self._hub.writer.waiting > self._hub.settings.max_waiting:
            detail = "more is waiting to be stored than the hub takes on; send the same again later"
            raise Refused(Problem("too-busy", "Too busy", 429, detail), retry_after=1)
        self._pressure.check(identity.system)
        sender = Sender.of(identity)
        content_type = asgi.single(headers, "content-type") or ""
        kind = _kind(content_type, headers)
        limit = self._hub.settings.max_bulk if kind == NDJSON else self._hub.settings.max_body
        body = await asgi.body(receive, headers, limit)
        try:
            if kind == NDJSON:
                return 200, await self._many(_lines(body), sender)
            if kind == BATCHED:
                # A batch is read as one text: megabytes of it would keep everybody else waiting.
                return 200, await self._many(await asyncio.to_thread(_elements, body), sender)
            if kind == STRUCTURED:
                event, raw = strict_json.parse(body), body
            else:
                event, raw = binary_mode.event_of(headers, content_type, body)
            return await self._one(envelope.read(event, raw, sender, self._hub.catalogue))
        except Refused as refused:
            self._refusals.count(sender.system, refused.problem.slug)
            raise

    async def _one(self, incoming: Incoming) -> tuple[int, Any]:
        accepted = await self._hub.writer.add(self._hub.acceptor.batch, incoming)
        if accepted.status == "conflict":
            raise _conflict()
        return 202 if accepted.status == "accepted" else 200, {"id": incoming.id, "status": accepted.status}

    async def _many(self, elements: Iterator[strict_json.Element], sender: Sender) -> list[dict[str, Any]]:
        """One result per element, in their order; the good ones are stored whatever the bad ones do."""
        results: list[dict[str, Any]] = []
        while portion := list(islice(elements, PORTION)):
            items = [self._item(element, sender) for element in portion]
            good = [item.incoming for item in items if item.incoming is not None]
            accepted = iter(await self._store(good))
            for item in items:
                outcome = None if item.incoming is None else next(accepted)
                results.append(self._result(len(results), item, outcome, sender))
        return results

    async def _store(self, good: Sequence[Incoming]) -> list[Accepted]:
        waiting = [self._hub.writer.add(self._hub.acceptor.batch, incoming) for incoming in good]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        failed = next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)
        if failed is not None:
            raise failed
        return [outcome for outcome in outcomes if isinstance(outcome, Accepted)]

    def _item(self, element: strict_json.Element, sender: Sender) -> _Item:
        try:
            if element.broken is not None:
                raise strict_json.refusal(element.broken)
            incoming = envelope.read(element.value, element.raw, sender, self._hub.catalogue)
        except Refused as refused:
            return _Item(_id_of(element), None, refused)
        return _Item(incoming.id, incoming)

    def _result(self, index: int, item: _Item, accepted: Accepted | None, sender: Sender) -> dict[str, Any]:
        result: dict[str, Any] = {"index": index, "id": item.id, "status": "rejected"}
        refused = item.refused
        if accepted is not None:
            result["status"] = accepted.status
            refused = _conflict() if accepted.status == "conflict" else None
        if refused is not None:
            self._refusals.count(sender.system, refused.problem.slug)
            result["problem"] = refused.problem.document()
        return result


def _kind(content_type: str, headers: dict[str, list[str]]) -> str:
    """Which of the four forms this is; ``binary`` where it is none of the first three. Raises Refused (415)."""
    if "content-encoding" in headers:
        raise _unsupported("send the body as it is, without Content-Encoding")
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if "charset=" in charset and "charset=utf-8" not in charset:
        raise _unsupported("send UTF-8")
    if media_type in {STRUCTURED, BATCHED, NDJSON}:
        return media_type
    is_json = media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )
    if is_json and binary_mode.is_binary(headers):
        return "binary"
    raise _unsupported(f"send {STRUCTURED}, {BATCHED} or {NDJSON}, or application/json with ce- headers")


def _unsupported(detail: str) -> Refused:
    return Refused(Problem("unsupported-media-type", "Unsupported media type", 415, detail))


def _lines(body: bytes) -> Iterator[strict_json.Element]:
    """The events of an NDJSON body; blank lines are none. Raises Refused where they are too many."""
    if body.count(b"\n") > MOST_ITEMS:
        raise _too_many()
    for line in body.split(b"\n"):
        line = line.strip(b" \t\r")
        if not line:
            continue
        try:
            yield strict_json.Element(strict_json.parse(line), line)
        except Refused as refused:
            yield strict_json.Element(None, line, refused.problem.slug)


def _elements(body: bytes) -> Iterator[strict_json.Element]:
    """The events of a batch, a JSON array. Raises Refused where they are too many."""
    elements = strict_json.parse_array(body)
    if len(elements) > MOST_ITEMS:
        raise _too_many()
    return iter(elements)


def _too_many() -> Refused:
    return Refused(Problem("too-many", "Too many events", 413, f"one request takes {MOST_ITEMS} events"))


def _id_of(element: strict_json.Element) -> str | None:
    """The id that a refused event gave itself, where it is fit to be repeated."""
    given = element.value.get("id") if isinstance(element.value, dict) else None
    fit = isinstance(given, str) and 0 < len(given) <= 200 and given.isprintable()
    return given if fit else None


def _conflict() -> Refused:
    detail = (
        "another event with this source and id, but other content, was accepted before: give this one an id of its own"
    )
    return Refused(Problem("conflict", "Id already used", 409, detail))


async def _refuse(send: asgi.Send, refused: Refused) -> None:
    headers = problems.headers_of(refused)
    await asgi.answer(
        send, refused.problem.status, problems.encode(refused.problem), problems.MEDIA_TYPE, headers.items()
    )
