"""OAuth 2.0 client credentials (RFC 6749 4.4): one token for all requests, renewed before it ends."""

from __future__ import annotations

import asyncio
import base64
import time
from urllib.parse import quote_plus

from pydantic import SecretStr

from bus.contract.verdict import Delivered, Unavailable

from .http import HttpClient, NoAnswer, Unreadable

_SHORTEST_LIFE = 30.0
"""Seconds that a token is taken to live where the server does not say."""


class ClientCredentials:
    """Tokens of one account at one authorisation server.

    A server that gives no token is ``Unavailable``, whatever it says: the message that waits is not at fault.
    """

    def __init__(self, client: HttpClient, token_url: str, client_id: str, client_secret: SecretStr) -> None:
        self._client = client
        self._token_url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._token = ""
        self._until = 0.0
        self._renewing = asyncio.Lock()

    def secrets(self) -> tuple[str, ...]:
        """What may stand in no text: the client secret and the token in use."""
        return self._client_secret.get_secret_value(), self._token

    async def token(self, deadline: float) -> str:
        """A token that still lives. Raises NoAnswer with an Unavailable; waiters share one request."""
        try:
            async with asyncio.timeout(deadline), self._renewing:
                if time.monotonic() >= self._until:
                    await self._renew(deadline)
                return self._token
        except TimeoutError:
            raise NoAnswer(Unavailable("no access token in time")) from None

    def forget(self, token: str) -> None:
        """``token`` was refused: the next caller gets a new one."""
        if token == self._token:
            self._until = 0.0

    async def _renew(self, deadline: float) -> None:
        begun = time.monotonic()
        account = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret.get_secret_value())}"
        headers = {
            "Authorization": "Basic " + base64.b64encode(account.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            answer = await self._client.request(
                "POST",
                self._token_url,
                deadline=deadline,
                body=b"grant_type=client_credentials",
                headers=headers,
            )
        except NoAnswer as failure:
            raise NoAnswer(Unavailable(f"no access token: {failure.verdict.reason}")) from None
        verdict = answer.verdict()
        if not isinstance(verdict, Delivered):
            after = getattr(verdict, "after", None)
            raise NoAnswer(Unavailable(f"no access token: {verdict_text(verdict)}", after, answer.status))
        try:
            grant = answer.json()
            token, life = grant["access_token"], float(grant.get("expires_in", _SHORTEST_LIFE))
        except (Unreadable, KeyError, TypeError, ValueError, AttributeError):
            raise NoAnswer(Unavailable("no access token: the answer is not one of OAuth 2.0")) from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise NoAnswer(Unavailable("no access token: the answer holds no usable token"))
        # A tenth of its life early: it must not run out on the way.
        self._token, self._until = token, begun + life * 0.9


def verdict_text(verdict: object) -> str:
    """The reason of any verdict that has one."""
    return str(getattr(verdict, "reason", ""))
