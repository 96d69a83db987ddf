"""From what a destination answers to the state of its delivery: every status, fault and failure, for each sink class.

The states are written down here a second time, by hand, as promised: nothing is taken from the code under test.
"""

import random
from datetime import UTC, datetime

import aiohttp
import pytest

from bus.contract.clock import MICROSECONDS
from bus.contract.route import Retry
from bus.contract.verdict import Ambiguous, Deferred, Delivered
from bus.engine.outcome import Circumstances, decide
from connectors.kit.http import BEFORE_SENDING, OutboundRefused, verdict_of_failure
from connectors.kit.http_status import verdict_of
from connectors.kit.soap import verdict_of_fault

NOW = 1_700_000_000 * MICROSECONDS
RETRY = Retry(attempts=3, first=1.0, longest=8.0)
KINDS = ("keyed", "queryable", "blind")

DONE = dict.fromkeys(KINDS, ("delivered", None, False))
DEAD = dict.fromkeys(KINDS, ("dead", None, False))
AGAIN = dict.fromkeys(KINDS, ("retrying", None, False))
DOUBT = {
    "keyed": ("retrying", None, False),  # the same key again
    "queryable": ("retrying", None, True),  # asked first
    "blind": ("parked", "ambiguous", False),  # a person
}
"""State, what it is parked for, and whether the destination is asked before the next attempt."""

USES_UP = {408, 423, 425, 429}
NOT_THERE = {401, 402, 403, 404, 405, 407, 421, 426, 501, 503, 505, 507, 508, 509, 511, 521, 523, 525, 526, 529, 530}
EXPECTED = (
    dict.fromkeys(range(100, 200), DOUBT)
    | dict.fromkeys(range(200, 300), DONE)
    | dict.fromkeys(range(300, 500), DEAD)
    | dict.fromkeys(range(500, 600), DOUBT)
    | dict.fromkeys(USES_UP | NOT_THERE, AGAIN)
)


def _decide(verdict, kind, *, retries=0, tries=1):
    case = Circumstances(
        now=NOW, tries=tries, retries=retries, kind=kind, retry=RETRY, partitioned=False, on_dead_holds=True
    )
    return decide(verdict, case, random.Random(0))


def _what(verdict, kind):
    outcome = _decide(verdict, kind)
    return outcome.state, outcome.parked, outcome.keep_start


@pytest.mark.parametrize("status", range(100, 600))
def test_each_status_leads_to_its_state(status):
    assert {kind: _what(verdict_of(status), kind) for kind in KINDS} == EXPECTED[status]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", sorted(USES_UP | NOT_THERE))
def test_only_a_wish_to_come_again_uses_up_retries(status, kind):
    outcome = _decide(verdict_of(status), kind, retries=RETRY.attempts - 1, tries=10**6)
    assert outcome.state == ("dead" if status in USES_UP else "retrying")
    assert outcome.retries == RETRY.attempts - 1 + (status in USES_UP)


@pytest.mark.parametrize("status", range(100, 600))
def test_only_what_is_done_or_refused_lets_its_lane_go_on(status):
    for kind in KINDS:
        assert _decide(verdict_of(status), kind).holds == (EXPECTED[status] not in (DONE, DEAD))


ASKED = datetime.fromtimestamp(NOW // MICROSECONDS, UTC)
OWN = (0.5, 1.0)
"""The route's own first wait, half of it by chance."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "shortest", "longest"),
    [
        ("30", 30, 30),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60, 60),
        ("Tue, 14 Nov 2023 22:14:20 -0000", 60, 60),
        ("Wed, 15 Nov 2023 05:14:20 +0700", 60, 60),
        ("3600", 3600, 3600),
        ("3601", 3600, 3600),
        ("999999999999999999999", 3600, 3600),
        ("Tue, 14 Nov 2123 22:14:20 GMT", 3600, 3600),
        ("-30", *OWN),
        ("0", *OWN),
        ("Tue, 14 Nov 2023 22:12:20 GMT", *OWN),
        ("30.5", *OWN),
        ("soon", *OWN),
        ("", *OWN),
        (None, *OWN),
    ],
)
def test_retry_after_is_kept_within_reason(status, kind, header, shortest, longest):
    outcome = _decide(verdict_of(status, header, ASKED), kind)
    assert outcome.state == "retrying"
    assert shortest <= (outcome.due_at - NOW) / MICROSECONDS <= longest


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_as_one(status):
    outcome = _decide(verdict_of(status), "keyed")
    assert (outcome.state, "redirect" in outcome.reason) == ("dead", True)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        *[(code, status, DEAD) for code in ("Client", "Sender") for status in (200, 400, 500)],
        *[(code, 500, DEAD) for code in ("VersionMismatch", "MustUnderstand", "DataEncodingUnknown")],
        *[(code, status, AGAIN) for code in ("Server", "Receiver") for status in (200, 400, 500)],
        ("Vendor", 500, DOUBT),
        ("Vendor", 200, DOUBT),
        ("", 200, DOUBT),
        ("", 500, DOUBT),
        ("", 400, DEAD),
    ],
)
def test_each_soap_fault_leads_to_its_state(code, status, expected):
    assert {kind: _what(verdict_of_fault(code, "said", status), kind) for kind in KINDS} == expected


def _made(kind):
    """Make an error of aiohttp without the live connection that its constructor wants."""
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *[(_made(kind), AGAIN) for kind, _ in BEFORE_SENDING],
        (_made(aiohttp.ConnectionTimeoutError), AGAIN),
        (_made(aiohttp.ClientConnectorDNSError), AGAIN),
        (_made(aiohttp.ClientConnectorError), AGAIN),
        (_made(aiohttp.ClientConnectorCertificateError), AGAIN),
        (OutboundRefused("not allowed"), AGAIN),
        (_made(aiohttp.ServerDisconnectedError), DOUBT),
        (_made(aiohttp.ClientOSError), DOUBT),
        (_made(aiohttp.ClientPayloadError), DOUBT),
        (_made(aiohttp.ServerTimeoutError), DOUBT),
        (_made(aiohttp.SocketTimeoutError), DOUBT),
        (TimeoutError(), DOUBT),
        (ConnectionResetError(), DOUBT),
        (BrokenPipeError(), DOUBT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_network_failure_leads_to_its_state(error, expected):
    assert {kind: _what(verdict_of_failure(error), kind) for kind in KINDS} == expected


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_taken_for_later_is_asked_for_with_its_token(kind):
    outcome = _decide(Deferred("ticket", 60.0), kind)
    assert (outcome.state, outcome.token, outcome.due_at) == ("deferred", "ticket", NOW + 60 * MICROSECONDS)


def test_rows_of_one_answer_go_their_own_ways():
    rows = [Delivered(), verdict_of(422), Ambiguous("no row"), verdict_of(429)]
    assert [_decide(row, "queryable").state for row in rows] == ["delivered", "dead", "retrying", "retrying"]
