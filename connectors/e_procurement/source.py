"""Feed ``spse-pengumuman``: announcements of the city's SPSE that changed, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from yarl import URL

from bus.contract.feed import Page, Row, SourceUnavailable
from connectors.kit.http import HttpClient
from connectors.kit.soap import SoapFailure

from .config import EProcurementConfig
from .service import service


class SpseAnnouncements:
    """Announcements after a cursor, in the order of their last change (SPSE's ``kursor``).

    ``values`` of a row are the elements of ``Pengumuman`` as text exactly as sent, absent ones left out; ``raw`` is
    the same as JSON.
    """

    def __init__(self, config: EProcurementConfig, client: HttpClient | None = None) -> None:
        self._config = config
        self._client = client or HttpClient(per_host=1)
        self._owns_client = client is None
        self._soap = service(config, self._client, threads=1)

    def __repr__(self) -> str:
        return f"SpseAnnouncements({URL(self._config.url).host})"

    async def fetch(self, cursor: str | None) -> Page:
        asked = {"sejak": cursor, "batas": self._config.page}
        try:
            said = await self._soap.call("AmbilPengumuman", self._config.timeout, asked)
        except SoapFailure as failure:
            raise SourceUnavailable(str(failure)) from None
        following = said["kursor"]
        if not following:
            raise SourceUnavailable("the answer holds no cursor")
        rows = tuple(_row(number, item) for number, item in enumerate(said["pengumuman"] or [], 1))
        # A page that does not move the cursor is the last for now, or it would be fetched for ever.
        return Page(rows, following, more=bool(said["lagi"]) and following != cursor)

    async def close(self) -> None:
        await self._soap.close()
        if self._owns_client:
            await self._client.close()


def _row(number: int, item: Mapping[str, Any]) -> Row:
    values = {name: text for name, text in item.items() if text is not None}
    return Row(number, number, values, orjson.dumps(values).decode())
