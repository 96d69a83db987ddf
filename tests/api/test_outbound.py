"""Targets: anything in the embedded mode, nothing private in production unless it is listed."""

from pathlib import Path

import pytest

from bus.contract.errors import Refused
from bus.entrypoints.outbound import check_url
from bus.entrypoints.settings import Settings

PRIVATE = [
    "http://127.0.0.1/",
    "http://localhost:8080/x",
    "http://10.0.0.5/",
    "https://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/",
    "http://[fd00::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://0.0.0.0/",
    "http://no-such-host.invalid/",
]


def refused(url: str, **settings: object) -> str | None:
    """The slug of the refusal, or None where the address is taken."""
    try:
        check_url(url, Settings(home=Path("unused"), **settings))
    except Refused as refusal:
        return refusal.problem.slug
    return None


@pytest.mark.parametrize("url", PRIVATE)
def test_private_targets(url: str) -> None:
    assert not refused(url)
    assert refused(url, production=True) == "invalid-target"


def test_public_and_listed_targets_in_production() -> None:
    assert not refused("https://8.8.8.8/hook", production=True)
    listed = ("localhost", "10.0.0.0/8", "not a network")
    assert not refused("http://localhost:9/", production=True, outbound_allow=listed)
    assert not refused("http://10.1.2.3/", production=True, outbound_allow=listed)
    assert refused("http://192.168.1.1/", production=True, outbound_allow=listed)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://h/", "http://", "http://u@h/", "http://h/\n", "http://h:99999/", "http://h/" + "x" * 2000]
)
def test_what_is_no_usable_address(url: str) -> None:
    assert refused(url) == "invalid-target"
