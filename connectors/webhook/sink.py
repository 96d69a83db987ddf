"""The sink of a subscription: each delivery is one signed POST of a structured CloudEvent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from yarl import URL

from bus.contract.sink import Delivery, SinkClass
from bus.contract.verdict import Rejected, RetryLater, Unavailable, Verdict
from connectors.kit.http import HttpClient, NoAnswer

from .signature import signature, signing_key

CONTENT_TYPE = "application/cloudevents+json"


class WebhookSink:
    """POSTs to one subscriber.

    Success is a 2xx status, whatever the body says: Standard Webhooks has it so. ``409`` asks to come again, because
    a receiver that still works on the same Idempotency-Key answers so; every other status means what
    :mod:`connectors.kit.http_status` says.

    ``client`` is shared by all subscriptions and closed by its owner; without it the sink makes and closes its own.
    ``secret`` signs (see :func:`connectors.webhook.signature.signing_key`); ``clock`` gives seconds since the epoch.
    Raises ValueError for an address that is not http(s) or an unusable secret.
    """

    kind: SinkClass = "keyed"
    batch = 1

    def __init__(
        self,
        url: str,
        secret: str,
        client: HttpClient | None = None,
        *,
        concurrency: int = 32,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._url = URL(url)
        except ValueError:
            raise ValueError("a subscription's url is not usable") from None
        if self._url.scheme not in {"http", "https"} or not self._url.host:
            raise ValueError("a subscription's url begins with http:// or https:// and names a host")
        self._key = signing_key(secret)
        self._client = client or HttpClient(per_host=concurrency)
        self._owns_client = client is None
        self._clock = clock
        self.concurrency = concurrency

    def __repr__(self) -> str:
        # Host alone: paths and queries of webhooks often hold a secret.
        return f"WebhookSink({self._url.scheme}://{self._url.host})"

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        return [await self._post(delivery) for delivery in deliveries]

    async def ask(self, delivery: Delivery) -> Verdict | None:
        """Not asked: the sink is keyed. A subscriber cannot tell what it has."""
        return Unavailable("a subscriber cannot be asked what it has", at="hub")

    async def close(self) -> None:
        if self._owns_client:
            await self._client.close()

    async def _post(self, delivery: Delivery) -> Verdict:
        try:
            body = encoded(delivery.message.event(delivery.sequence))
        except (TypeError, ValueError):
            return Rejected("the message cannot be written as JSON", at="hub")
        timestamp = str(int(self._clock()))
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Idempotency-Key": delivery.key,
            "Arus-Sequence": str(delivery.sequence),
            "webhook-id": delivery.key,
            "webhook-timestamp": timestamp,
            "webhook-signature": signature(self._key, delivery.key, timestamp, body),
        }
        try:
            answer = await self._client.request(
                "POST", self._url, deadline=delivery.deadline, body=body, headers=headers, wants_body=False
            )
        except NoAnswer as failure:
            return failure.verdict
        verdict = answer.verdict()
        if answer.status == 409:
            return RetryLater("HTTP 409: it is still busy with this delivery, or conflicts with it", None, 409)
        return verdict


def encoded(event: dict[str, Any]) -> bytes:
    """The event as JSON bytes; integers beyond 64 bits, which orjson refuses, keep their digits."""
    try:
        return orjson.dumps(event)
    except orjson.JSONEncodeError:
        return json.dumps(event, allow_nan=False).encode()
