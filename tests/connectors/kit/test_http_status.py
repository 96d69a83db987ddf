"""Every HTTP status has one meaning; each of the 500 is written down here a second time."""

from datetime import UTC, datetime

import pytest

from bus.contract.verdict import NAMES, RetryLater, Unavailable, name_of
from connectors.kit.http_status import verdict_of, wait_asked

EXPECTED = (
    dict.fromkeys(range(100, 200), "ambiguous")
    | dict.fromkeys(range(200, 300), "delivered")
    | dict.fromkeys(range(300, 500), "rejected")
    | dict.fromkeys(range(500, 600), "ambiguous")
    | dict.fromkeys((401, 402, 403, 404, 405, 407, 421, 426), "unavailable")
    | dict.fromkeys((501, 503, 505, 507, 508, 509, 511, 521, 523, 525, 526, 529, 530), "unavailable")
    | dict.fromkeys((408, 423, 425, 429), "retry_later")
)
NOW = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("status", range(100, 600))
def test_each_status_means_what_the_table_says(status):
    verdict = verdict_of(status)
    assert name_of(verdict) == EXPECTED[status]
    assert verdict.status == status
    assert type(verdict) in NAMES


@pytest.mark.parametrize("status", [0, 99, 600, 999])
def test_a_number_that_is_no_status_is_ambiguous(status):
    assert name_of(verdict_of(status)) == "ambiguous"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("3600", 3600),
        ("1000000000", 3600),
        ("9" * 5000, 3600),
        ("Mon, 05 Jan 2026 08:31:00 GMT", 60),
        ("Mon, 05 Jan 2026 15:31:00 +0700", 60),
        ("Mon, 05 Jan 2126 08:31:00 GMT", 3600),
        ("Mon, 05 Jan 2026 08:29:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("1e9", None),
        ("٣", None),
        ("nanti", None),
        ("", None),
        (None, None),
        ("Mon, 99 Jan 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(header, seconds):
    assert wait_asked(header, NOW) == seconds


@pytest.mark.parametrize(("status", "kind"), [(429, RetryLater), (408, RetryLater), (503, Unavailable)])
def test_the_wait_reaches_the_verdict(status, kind):
    verdict = verdict_of(status, "30")
    assert isinstance(verdict, kind)
    assert verdict.after == 30
