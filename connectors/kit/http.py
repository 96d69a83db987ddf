"""The HTTP client of every sink and source: bounded in time, size and trust.

Redirects are never followed, cookies never kept, proxies of the environment never used, answers never inflated.
Every failure without a usable answer is one :class:`NoAnswer` that carries its verdict: what never left the hub is
``Unavailable``, what may have arrived is ``Ambiguous``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.tracing import Trace
from yarl import URL

from bus.contract.verdict import Ambiguous, Unavailable, Verdict

from .http_status import verdict_of

OutboundPolicy = Callable[[str], None]
"""Called with each URL before it is asked; raises :class:`OutboundRefused` for one that must not be."""

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of an answer that are read at most."""

_CONNECT_SECONDS = 5.0
_DRAIN_BYTES = 64 * 1024
_DRAIN_SECONDS = 1.0
BEFORE_SENDING: Sequence[tuple[type[Exception], str]] = (
    (aiohttp.ClientConnectorCertificateError, "its TLS certificate is not accepted"),
    (aiohttp.ClientSSLError, "no TLS connection could be made"),
    (aiohttp.ClientConnectorDNSError, "its name is not found (DNS)"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (aiohttp.ClientConnectorError, "the connection was refused or its host cannot be reached"),
    (aiohttp.InvalidURL, "its address is not a usable URL"),
)
"""Failures in which nothing of the request had left, with what to say of them; the first that fits holds."""


class OutboundRefused(ValueError):
    """The hub may not call this address; the text says how to allow it, and holds no secret."""


class NoAnswer(Exception):
    """No usable answer came. ``verdict`` says whether the request may have arrived."""

    def __init__(self, verdict: Unavailable | Ambiguous) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class Unreadable(ValueError):
    """An answer whose body is cut, compressed, or not what it should be."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``complete`` is False where the body broke off or was longer than is read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    def verdict(self) -> Verdict:
        """What the status alone means (:mod:`connectors.kit.http_status`)."""
        return verdict_of(self.status, self.headers.get("Retry-After"))

    def json(self) -> Any:
        """The body as JSON, numbers with a point as exact Decimals. Raises Unreadable."""
        if not self.complete or self.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Unreadable("the answer is cut off or compressed")
        try:
            return json.loads(self.body, parse_float=Decimal, parse_int=_exact_int, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Unreadable("the answer is not JSON") from error


def _exact_int(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 19 else Decimal(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class _Connector(aiohttp.TCPConnector):
    """Keeps no connection on which something came unasked: it would be taken for the answer to the next request."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - so it is named by aiohttp
    ) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


class HttpClient:
    """One pool of connections; made inside the running loop at its first use, closed by who made the client.

    ``policy`` is asked before each request; ``per_host`` bounds the open connections to one host, ``largest_answer``
    the bytes read of one answer; ``resolver`` makes what looks names up (:mod:`connectors.kit.guarded`).
    """

    def __init__(
        self,
        policy: OutboundPolicy | None = None,
        *,
        resolver: Callable[[], AbstractResolver] | None = None,
        per_host: int = 64,
        largest_answer: int = LARGEST_ANSWER,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._per_host = per_host
        self._largest_answer = largest_answer
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        deadline: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        wants_body: bool = True,
    ) -> Answer:
        """Send one request and read its answer, all within ``deadline`` seconds. Raises NoAnswer.

        An idempotent method (PUT, DELETE, GET) is sent once more where a kept connection had been closed by the
        other side; sinks send the same Idempotency-Key with it.
        """
        if deadline <= 0:
            raise NoAnswer(Unavailable("no time was left before sending", at="hub"))
        try:
            if self._policy is not None:
                self._policy(str(url))
            async with self._open().request(
                method, url, data=body, headers=headers, allow_redirects=False, timeout=_timeout(deadline)
            ) as response:
                return await (self._read(response) if wants_body else self._drain(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # Without its cause: the library's texts repeat addresses, and addresses hold secrets.
            raise NoAnswer(verdict_of_failure(error)) from None

    async def close(self) -> None:
        """Close the connections; twice is harmless, and a later request opens them anew."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = self._resolver() if self._resolver is not None else None
            self._session = aiohttp.ClientSession(
                # No bound over all hosts: a slow one would take the connections of the others.
                connector=_Connector(limit=0, limit_per_host=self._per_host, resolver=resolver),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "Arus", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse) -> Answer:
        body = bytearray()
        complete = True
        try:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > self._largest_answer:
                    complete = False
                    break
        except (aiohttp.ClientError, TimeoutError, OSError):
            complete = False  # the status came and counts; a sink that needs the body sees that it is cut
        if not complete:
            response.close()
        return Answer(response.status, response.headers, bytes(body[: self._largest_answer]), complete)

    async def _drain(self, response: aiohttp.ClientResponse) -> Answer:
        """Read past a short body so that its connection can be kept; a long or slow one loses its connection."""
        if not response.content.is_eof():
            read = 0
            try:
                async with asyncio.timeout(_DRAIN_SECONDS):
                    async for chunk in response.content.iter_any():
                        read += len(chunk)
                        if read > _DRAIN_BYTES:
                            break
            except (aiohttp.ClientError, TimeoutError, OSError):
                read = _DRAIN_BYTES + 1
            if read > _DRAIN_BYTES:
                response.close()
        return Answer(response.status, response.headers, b"", complete=False)


@lru_cache(maxsize=64)
def _timeout(deadline: float) -> aiohttp.ClientTimeout:
    # The connection may use less than the whole, so that a time-out of the whole means: the request had left.
    connect = min(_CONNECT_SECONDS, deadline * 0.8)
    # aiohttp would round longer times up to a whole second; a deadline is a promise to the lease.
    return aiohttp.ClientTimeout(total=deadline, connect=connect, sock_connect=connect, ceil_threshold=86_400)


def verdict_of_failure(error: Exception) -> Unavailable | Ambiguous:
    """What a request that got no answer means: what had not left yet is no doubt, what had left is one."""
    for kind, why in BEFORE_SENDING:
        if isinstance(error, kind):
            return Unavailable(why)
    if isinstance(error, OutboundRefused):
        return Unavailable(str(error), at="hub")
    if isinstance(error, aiohttp.ClientError):
        return Ambiguous("the connection broke or the answer was unusable after sending")
    if isinstance(error, TimeoutError):
        return Ambiguous("no answer in time after sending")
    if isinstance(error, OSError):
        return Ambiguous("the connection broke after sending")
    return Unavailable("the request could not be formed", at="hub")
