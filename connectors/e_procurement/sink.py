"""Writes work packages into e-Procurement, up to fifty in one SOAP call, each answered by its own row."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from yarl import URL

from bus.contract.sink import Delivery, SinkClass
from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable, Verdict
from connectors.kit.http import HttpClient
from connectors.kit.reasons import quoted
from connectors.kit.soap import SoapFailure

from .config import EProcurementConfig
from .service import service

_DONE = {"OK": "applied", "SUDAH_ADA": "duplicate", "TIDAK_ADA": "absent"}


class EProcurementSink:
    """``delivery.target`` holds the elements of ``Paket`` by name (None: absent).

    What counts is the ``status`` of each row, not HTTP's or SOAP's word: ``OK SUDAH_ADA TIDAK_ADA`` are done,
    ``DITOLAK`` is refused, ``GAGAL`` is for later, a row without an answer is ambiguous. Where a call of many is
    refused as a whole, which says nothing of its rows, each is sent by itself. An ambiguous outcome is asked for by
    ``CekPaket`` with the delivery's key.
    """

    kind: SinkClass = "queryable"
    batch = 50

    def __init__(self, config: EProcurementConfig, client: HttpClient | None = None, *, concurrency: int = 4) -> None:
        self._config = config
        self._client = client or HttpClient(per_host=concurrency)
        self._owns_client = client is None
        self._soap = service(config, self._client, concurrency)
        self.concurrency = concurrency

    def __repr__(self) -> str:
        return f"EProcurementSink({URL(self._config.url).host})"

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        if not deliveries:
            return []
        ends = time.monotonic() + min(delivery.deadline for delivery in deliveries)
        verdicts: dict[str, Verdict] = {}
        saves = [delivery for delivery in deliveries if delivery.message.op != "delete"]
        if len(saves) > 1:
            verdicts |= await self._save_together(saves, ends)
        for delivery in deliveries:
            if delivery.key not in verdicts:
                verdicts[delivery.key] = await self._alone(delivery, ends)
        return [verdicts[delivery.key] for delivery in deliveries]

    async def ask(self, delivery: Delivery) -> Verdict | None:
        """By ``CekPaket``: what SPSE has applied under the delivery's key; None: nothing."""
        try:
            said = await self._soap.call("CekPaket", delivery.deadline, {"idempotencyKey": delivery.key})
        except SoapFailure as failure:
            return Unavailable(f"it could not be asked: {failure}")
        if not said["ditemukan"]:
            return None
        verdict = self._verdict_of_row(said["hasil"])
        return verdict if isinstance(verdict, Delivered | Rejected) else None

    async def close(self) -> None:
        await self._soap.close()
        if self._owns_client:
            await self._client.close()

    async def _save_together(self, deliveries: Sequence[Delivery], ends: float) -> dict[str, Verdict]:
        """A verdict for each; none where the call was refused as a whole, for then nothing of it was applied."""
        rows = [{"idempotencyKey": delivery.key, "paket": delivery.target} for delivery in deliveries]
        try:
            said = await self._soap.call("SimpanDaftarPaket", ends - time.monotonic(), {"baris": rows})
        except SoapFailure as failure:
            if isinstance(failure.verdict, Rejected):
                return {}
            return {delivery.key: failure.verdict for delivery in deliveries}
        answers = {row["idempotencyKey"]: row for row in said["hasil"] or []}
        return {delivery.key: self._verdict_of_row(answers.get(delivery.key)) for delivery in deliveries}

    async def _alone(self, delivery: Delivery, ends: float) -> Verdict:
        arguments: dict[str, Any] = {"idempotencyKey": delivery.key}
        if delivery.message.op == "delete":
            operation = "HapusPaket"
            arguments["kodePaket"] = delivery.message.data.get("code")
        else:
            operation = "SimpanPaket"
            arguments["paket"] = delivery.target
        try:
            said = await self._soap.call(operation, ends - time.monotonic(), arguments)
        except SoapFailure as failure:
            return failure.verdict
        return self._verdict_of_row(said if said["idempotencyKey"] == delivery.key else None)

    def _verdict_of_row(self, row: Mapping[str, Any] | None) -> Verdict:
        status = str(row["status"]) if row is not None else ""
        if row is None or not status:
            return Ambiguous("the answer holds no row for this delivery", 200, "destination")
        if status in _DONE:
            return Delivered(_DONE[status], 200)
        words = quoted(f"{status}: {row.get('pesan') or ''}", self._soap.secrets())
        if status == "DITOLAK":
            return Rejected(words, 200)
        if status == "GAGAL":
            return RetryLater(words, None, 200)
        return Ambiguous(f"an unknown status: {words}", 200, "destination")
