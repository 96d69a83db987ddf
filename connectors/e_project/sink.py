"""Writes budget lines, announcements, results and contracts into e-Project, one PUT or DELETE each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from yarl import URL

from bus.contract.message import Op
from bus.contract.sink import Delivery, SinkClass
from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable, Verdict
from connectors.kit.http import Answer, HttpClient, NoAnswer, Unreadable
from connectors.kit.json_body import JsonRefused, json_body
from connectors.kit.oauth import ClientCredentials
from connectors.kit.reasons import quoted

from .config import EProjectConfig

PATHS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "budget.line": ("anggaran", ("fiscal_year", "agency", "activity", "account")),
    "procurement.tender": ("pengumuman", ("register", "code")),
    "procurement.award": ("hasil", ("register", "code")),
    "contract.contract": ("kontrak", ("register", "code", "number", "addendum")),
}
"""Short type -> (collection, the key fields of the canonical data that make the rest of the path)."""

_REMEMBERED_VERSIONS = 20_000


class EProjectSink:
    """``delivery.target`` is the JSON body that the mapping made; ``message.data`` gives the path's key fields.

    e-Project keeps the answers of Idempotency-Keys, so a repeat has no second effect. A write must name the version
    that it replaces (``If-Match``); where the hub does not know it, or a clerk has changed the record meanwhile,
    e-Project answers 409 or 412 with the present version, and the sink tries once more with that: in the hub's
    lanes a later message is the later truth. A second conflict is ``RetryLater``.
    """

    kind: SinkClass = "keyed"
    batch = 1

    def __init__(self, config: EProjectConfig, client: HttpClient | None = None, *, concurrency: int = 8) -> None:
        self._config = config
        self._client = client or HttpClient(per_host=concurrency + 1)
        self._owns_client = client is None
        self._tokens = ClientCredentials(
            self._client, config.at("/oauth/token"), config.client_id, config.client_secret
        )
        self._versions: OrderedDict[str, str] = OrderedDict()
        self.concurrency = concurrency

    def __repr__(self) -> str:
        return f"EProjectSink({URL(self._config.url).host})"

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        return [await self._one(delivery) for delivery in deliveries]

    async def ask(self, delivery: Delivery) -> Verdict | None:
        """Not asked: the sink is keyed, the same key is sent again instead."""
        return Unavailable("e-Project is not asked; the same key is sent again", at="hub")

    async def close(self) -> None:
        if self._owns_client:
            await self._client.close()

    async def _one(self, delivery: Delivery) -> Verdict:
        try:
            path = path_of(delivery)
            body = None if delivery.message.op == "delete" else json_body(delivery.target)
        except JsonRefused as error:
            return Rejected(str(error), at="mapping")
        ends = time.monotonic() + delivery.deadline
        try:
            answer = await self._write(delivery, path, body, ends)
            if _is_conflict(answer) and (version := _present_version(answer)) is not None:
                self._remember(path, version)
                answer = await self._write(delivery, path, body, ends)
        except NoAnswer as failure:
            return failure.verdict
        return self._verdict(answer, path, delivery.message.op)

    async def _write(self, delivery: Delivery, path: str, body: bytes | None, ends: float) -> Answer:
        """One request; a refused token is renewed once."""
        answer = await self._request(delivery, path, body, ends)
        if answer.status == 401:
            answer = await self._request(delivery, path, body, ends)
        return answer

    async def _request(self, delivery: Delivery, path: str, body: bytes | None, ends: float) -> Answer:
        token = await self._tokens.token(max(0.0, ends - time.monotonic()))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": delivery.key}
        if version := self._versions.get(path):
            headers["If-Match"] = f'"{version}"'
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = await self._client.request(
            "PUT" if body is not None else "DELETE",
            URL(self._config.at(path), encoded=True),
            deadline=ends - time.monotonic(),
            body=body,
            headers=headers,
        )
        if answer.status == 401:
            self._tokens.forget(token)
        return answer

    def _verdict(self, answer: Answer, path: str, op: Op) -> Verdict:
        if _is_conflict(answer):
            self._versions.pop(path, None)
            return RetryLater("the record is being changed there at the same time", None, answer.status)
        said = _document(answer)
        if answer.status == 404 and op == "delete" and said.get("kode") == "TIDAK_DITEMUKAN":
            # Only e-Project's own word: a bare 404 is a wrong address, not a deletion that is done.
            self._versions.pop(path, None)
            return Delivered("absent", 404)
        verdict = answer.verdict()
        if isinstance(verdict, Delivered):
            if said.get("status") != "ok":
                return Ambiguous("a good status, but not e-Project's own answer", answer.status, "destination")
            self._remember(path, _present_version(answer) or "")
            return Delivered("duplicate" if "Idempotent-Replayed" in answer.headers else "applied", answer.status)
        if isinstance(verdict, Rejected) and said.get("kode"):
            words = quoted(f"{said['kode']}: {said.get('pesan', '')}", self._tokens.secrets())
            return Rejected(f"HTTP {answer.status}: {words}", answer.status)
        return verdict

    def _remember(self, path: str, version: str) -> None:
        self._versions[path] = version
        self._versions.move_to_end(path)
        if len(self._versions) > _REMEMBERED_VERSIONS:
            self._versions.popitem(last=False)


def path_of(delivery: Delivery) -> str:
    """The percent-encoded path of the delivery's record. Raises JsonRefused for a type that e-Project does not take."""
    try:
        collection, fields = PATHS[delivery.message.type]
        parts = [quote(str(delivery.message.data[name]), safe="") for name in fields]
    except KeyError as missing:
        raise JsonRefused(f"e-Project takes no such record, or its key field is missing: {missing}") from None
    return "/".join(("/api", collection, *parts))


def _is_conflict(answer: Answer) -> bool:
    return answer.status in {409, 412}


def _present_version(answer: Answer) -> str | None:
    """The version that e-Project holds, as its answer tells; empty: it holds none."""
    version = _document(answer).get("revisi")
    if isinstance(version, int) and not isinstance(version, bool) and version >= 0:
        return str(version) if version else ""
    return None


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = answer.json()
    except Unreadable:
        return {}
    return document if isinstance(document, dict) else {}
