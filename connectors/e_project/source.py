"""Feed ``paket``: work packages that changed in e-Project, page by page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from yarl import URL

from bus.contract.feed import FieldProblem, Page, Row, SourceUnavailable
from bus.contract.verdict import Delivered
from connectors.kit.http import Answer, HttpClient, NoAnswer, Unreadable
from connectors.kit.json_body import json_body
from connectors.kit.oauth import ClientCredentials, verdict_text

from .config import EProjectConfig

_NOT_AN_OBJECT = FieldProblem("paket", "a package is a JSON object", "paket harus berupa objek JSON")


class EProjectPackages:
    """Packages after a cursor, in the order of their last change.

    The cursor is e-Project's change number: a package that changes while pages are read moves to the end, so none
    is skipped. ``values`` of a row is the package as parsed with exact numbers, ``raw`` its JSON text.
    """

    def __init__(self, config: EProjectConfig, client: HttpClient | None = None) -> None:
        self._config = config
        self._client = client or HttpClient(per_host=2)
        self._owns_client = client is None
        self._tokens = ClientCredentials(
            self._client, config.at("/oauth/token"), config.client_id, config.client_secret
        )

    def __repr__(self) -> str:
        return f"EProjectPackages({URL(self._config.url).host})"

    async def fetch(self, cursor: str | None) -> Page:
        path = f"/api/paket?sejak={quote(cursor or '0', safe='')}&batas={self._config.page}"
        ends = time.monotonic() + self._config.timeout
        try:
            answer = await self._get(path, ends)
            if answer.status == 401:
                answer = await self._get(path, ends)
        except NoAnswer as failure:
            raise SourceUnavailable(failure.verdict.reason) from None
        verdict = answer.verdict()
        if not isinstance(verdict, Delivered):
            raise SourceUnavailable(verdict_text(verdict))
        return _page(answer, cursor)

    async def close(self) -> None:
        if self._owns_client:
            await self._client.close()

    async def _get(self, path: str, ends: float) -> Answer:
        token = await self._tokens.token(max(0.0, ends - time.monotonic()))
        answer = await self._client.request(
            "GET",
            URL(self._config.at(path), encoded=True),
            deadline=ends - time.monotonic(),
            headers={"Authorization": f"Bearer {token}"},
        )
        if answer.status == 401:
            self._tokens.forget(token)
        return answer


def _page(answer: Answer, cursor: str | None) -> Page:
    try:
        document = answer.json()
        found, following, more = document["data"], document["kursor"], document.get("lagi", False)
    except (Unreadable, KeyError, TypeError, AttributeError):
        raise SourceUnavailable("the answer is not e-Project's list of packages") from None
    if not isinstance(found, list) or not isinstance(following, str):
        raise SourceUnavailable("the answer is not e-Project's list of packages")
    rows = tuple(_row(number, item) for number, item in enumerate(found, 1))
    # A page that does not move the cursor is the last for now, or it would be fetched for ever.
    return Page(rows, following, more=bool(more) and following != cursor)


def _row(number: int, item: Any) -> Row:
    raw = json_body(item).decode()
    if isinstance(item, Mapping):
        return Row(number, number, item, raw)
    return Row(number, number, {}, raw, (_NOT_AN_OBJECT,))
