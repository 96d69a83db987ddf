"""Where the hub may send: any http(s) address in the embedded mode, no private one in production unless allowed."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from bus.contract.errors import Problem, Refused

from .settings import Settings

LONGEST_URL = 2000


def check_url(url: str, settings: Settings) -> None:
    """Raises Refused (422) for an address that the hub will not call; never repeats it."""
    host, port = _parts(url)
    if settings.production and not _allowed(host, settings.outbound_allow):
        addresses = _addresses(host, port)
        if not addresses or not all(may_call(host, str(address), settings) for address in addresses):
            raise _refused(
                "a private or unknown address is refused in production; ARUS_OUTBOUND_ALLOW lists exceptions",
                "alamat privat atau tak dikenal ditolak; lihat ARUS_OUTBOUND_ALLOW",
            )


def may_call(host: str, address: str, settings: Settings) -> bool:
    """Whether the hub may connect to ``address``, found under the name ``host`` at this moment."""
    if not settings.production or _allowed(host, settings.outbound_allow):
        return True
    return _allowed(address, settings.outbound_allow) or ipaddress.ip_address(address).is_global


def _parts(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, None
    if parts is None or not host or parts.scheme not in {"http", "https"} or len(url) > LONGEST_URL:
        raise _refused(
            "url begins with http:// or https:// and names a host", "url diawali http:// atau https:// dan nama host"
        )
    if parts.username is not None or not url.isprintable() or " " in url:
        raise _refused("url holds no user name, password or blank", "url tidak boleh berisi nama pengguna atau spasi")
    return host, port or (443 if parts.scheme == "https" else 80)


def _allowed(host: str, allowed: Iterable[str]) -> bool:
    """By name as listed, or by address within a listed network."""
    address = _address(host)
    for entry in allowed:
        if entry.lower() == host.lower():
            return True
        if address is not None:
            try:
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:
                continue
    return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _addresses(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _refused(english: str, indonesian: str) -> Refused:
    errors = [{"field": "url", "english": english, "indonesian": indonesian}]
    return Refused(Problem("invalid-target", "Invalid target", 422, english, errors))
