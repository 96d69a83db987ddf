"""One table for every HTTP status: what it means for the delivery that got it.

The rule behind the table: a status that speaks of *this message* rejects it; one that every message would get until
somebody mends an address, a key or a server makes the destination unavailable, so that nothing dies of it; one that
asks to come again is retried; and where the request may have been carried out, the outcome is ambiguous.

=====================  ============  =====================================================================
status                 verdict       why
=====================  ============  =====================================================================
2xx                    Delivered     unless the sink reads the answer's body otherwise
1xx, beyond 599        Ambiguous     no final answer
3xx                    Rejected      redirects are never followed: a stranger could name the new address
401 402 403 407        Unavailable   the key or account must be mended; the message is not at fault
404 405 421 426        Unavailable   the address must be mended: sinks write to fixed places, and a record
                                     that is missing there is told by the sink itself
408 423 425 429        RetryLater    with Retry-After
409                    Rejected      unless the sink knows better
410                    Rejected      the destination says that it is gone for good
other 4xx              Rejected      it will never take this one
500 502 504            Ambiguous     it may have been applied before the failure, or behind the gateway
520 522 524            Ambiguous     likewise; 522 also comes where the request had been sent (Cloudflare's own word)
other 5xx              Ambiguous     likewise
501 503 505 507–509    Unavailable   not in service, nothing was applied; with Retry-After
511 529                Unavailable   likewise
521 523 525 526 530    Unavailable   a gateway that never reached its server
=====================  ============  =====================================================================
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable, Verdict

LONGEST_WAIT = 3600.0
"""Seconds: a destination that asks for a longer wait is asked again after this one."""

_UNAVAILABLE = {
    401: "it does not accept our credentials; renew the key of this system",
    402: "it asks for a payment; mend the account of this system",
    403: "it forbids our account this; mend the rights of this system",
    404: "nothing is found at this address; mend the address of this system",
    405: "this address does not take our method; mend the address of this system",
    407: "a proxy asks for credentials",
    421: "the request reached a server that does not serve this address",
    426: "it asks for another protocol",
    501: "it does not implement this",
    503: "it is not in service",
    505: "it does not speak this HTTP version",
    507: "it has no room left",
    508: "it runs in a circle",
    509: "its bandwidth is used up",
    511: "the network asks for a log-in",
    521: "the server behind the gateway is down",
    523: "the server behind the gateway cannot be reached",
    525: "the gateway cannot trust the server behind it",
    526: "the gateway cannot trust the server behind it",
    529: "it is overloaded",
    530: "the server behind the gateway cannot be reached",
}
_RETRY = {
    408: "it did not get the request in time",
    423: "the record is locked there",
    425: "too early",
    429: "too many requests",
}
_REJECTED = {
    400: "it calls the request malformed",
    409: "it conflicts with what is there",
    410: "it is gone for good; remove this destination",
    413: "the message is too large for it",
    415: "it does not take this format",
    422: "it does not take this content",
}
_AMBIGUOUS = {
    500: "it failed, perhaps after applying the message",
    502: "a gateway got no usable answer",
    504: "a gateway waited too long for the answer",
    520: "a gateway got no usable answer",
    522: "the server behind the gateway did not answer in time",
    524: "a gateway waited too long for the answer",
}


def verdict_of(status: int, retry_after: str | None = None, now: datetime | None = None) -> Verdict:
    """The verdict of a status alone; ``retry_after`` is the header as received, ``now`` the time it is counted from."""
    if 200 <= status <= 299:
        return Delivered(status=status)
    if why := _UNAVAILABLE.get(status):
        return Unavailable(_reason(status, why), wait_asked(retry_after, now), status, at="destination")
    if why := _RETRY.get(status):
        return RetryLater(_reason(status, why), wait_asked(retry_after, now), status)
    if 300 <= status <= 399:
        why = "it redirects elsewhere, and redirects are never followed; set the new address"
        return Rejected(_reason(status, why), status)
    if 400 <= status <= 499:
        return Rejected(_reason(status, _REJECTED.get(status, "refused")), status)
    if 500 <= status <= 599:
        why = _AMBIGUOUS.get(status, "it failed, perhaps after applying the message")
        return Ambiguous(_reason(status, why), status, at="destination")
    return Ambiguous(_reason(status, "not a final answer"), status, at="destination")


def wait_asked(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, at most :data:`LONGEST_WAIT`.

    Both forms of RFC 9110 10.2.3 are read: seconds, and an HTTP date. None where the header is absent, unreadable,
    negative, zero or past: the route's own backoff holds then.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        # Long digit strings are capped by their length: int() of a million digits is an attack.
        seconds = float(text) if len(text) < 10 else LONGEST_WAIT
    else:
        try:
            until = parsedate_to_datetime(text)
            if until.tzinfo is None:
                until = until.replace(tzinfo=UTC)
            seconds = (until - (now or datetime.now(UTC))).total_seconds()
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None


def _reason(status: int, why: str) -> str:
    return f"HTTP {status}: {why}"
