"""Names are looked up once for each connection, judged, and connected to as judged.

A name that pointed to the world when an address was given to the hub may point into the house when it is called
(DNS rebinding). So the addresses found are judged here, where the connection is made, and it goes to one of them.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from .http import OutboundRefused

Judge = Callable[[str, str], bool]
"""``judge(name, address)``: may the hub call this address, found under this name? Both are text."""

WORDS = "its name points to a private address, which is refused in production; ARUS_OUTBOUND_ALLOW lists exceptions"


class GuardedResolver(AbstractResolver):
    """Looks names up with ``inner`` and refuses a name of which any address may not be called."""

    def __init__(self, judge: Judge, inner: AbstractResolver | None = None) -> None:
        self._judge = judge
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(self._judge(host, str(one["host"]).partition("%")[0]) for one in found):
            raise OutboundRefused(WORDS)
        return found

    async def close(self) -> None:
        await self._inner.close()


def refuse_literals(judge: Judge) -> Callable[[str], None]:
    """The policy for URLs that hold an address instead of a name: those ask no resolver."""

    def policy(url: str) -> None:
        host = urlsplit(url).hostname or ""
        try:
            address = str(ipaddress.ip_address(host))
        except ValueError:
            return
        if not judge(host, address):
            raise OutboundRefused(WORDS)

    return policy
