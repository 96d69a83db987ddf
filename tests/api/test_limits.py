"""What the front does not take on: too large, too busy, no store, hostile requests."""

import json
from pathlib import Path

import pytest

from bus.engine.store_faults import DiskFull
from bus.engine.writer import StoreUnavailable, Writer
from bus.entrypoints.settings import Settings
from tests.api.calling import (
    NDJSON,
    STRUCTURED,
    Front,
    event,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", max_body=2048, max_bulk=4096, max_waiting=3)


def test_too_large_as_declared_is_refused_before_the_body(front: Front, key: str) -> None:
    request = (
        f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {STRUCTURED}\r\nContent-Length: 999999999\r\nConnection: close\r\n\r\n"
    )
    assert b" 413 " in front.raw(request.encode()).splitlines()[0]


def test_too_large_in_pieces_is_refused(front: Front, key: str) -> None:
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {STRUCTURED}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    body = b"".join(b"400\r\n" + b" " * 0x400 + b"\r\n" for _ in range(3)) + b"0\r\n\r\n"
    assert b" 413 " in front.raw(head.encode() + body).splitlines()[0]


def test_limits_differ_by_media_type(front: Front, key: str) -> None:
    body = json.dumps(event()).encode() + b"\n" * 2048
    assert front.event(body, key).slug == "too-large"
    assert front.event(body, key, NDJSON).status == 200
    assert front.event(body + b"\n" * 4096, key, NDJSON).slug == "too-large"


def test_too_busy(front: Front, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "waiting", property(lambda _self: 4))
    answer = front.event(event(), key)
    assert (answer.status, answer.slug) == (429, "too-busy")
    assert int(answer.headers["retry-after"]) >= 1


def test_no_store(front: Front, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("disk is full")

    monkeypatch.setattr(front.hub.acceptor.batch, "handle", fail)
    for body, kind in ((event(), STRUCTURED), (json.dumps(event()).encode(), NDJSON)):
        answer = front.event(body, key, kind)
        assert (answer.status, answer.slug) == (503, "store-unavailable")
        assert int(answer.headers["retry-after"]) >= 1


def test_a_full_disk(front: Front, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DiskFull("could not extend file")

    monkeypatch.setattr(front.hub.acceptor.batch, "handle", fail)
    answer = front.event(event(), key)
    assert (answer.status, answer.slug) == (503, "disk-full")
    assert int(answer.headers["retry-after"]) >= 1


def test_a_fault_of_ours_is_a_problem_document_too(front: Front, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(front.hub.acceptor.batch, "handle", fail)
    answer = front.event(event(), key)
    assert (answer.status, answer.slug) == (500, "internal-error")
    assert b"secret" not in answer.body


def _request(key: str, *lines: str, body: str = "{}") -> bytes:
    head = ["POST /v1/messages HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", f"Content-Type: {STRUCTURED}"]
    return "\r\n".join([*head, *lines, "", body]).encode("latin-1")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
        ("Content-Length: 2", "Content-Length: 3"),
        ("Content-Length: +2",),
        ("Content-Length: 2", "X-Folded: a\r\n b"),
        ("Content-Length: 2", "X-Nul: a\x00b"),
        ("Transfer-Encoding : chunked",),
    ],
)
def test_ambiguous_requests_are_refused(front: Front, key: str, lines: tuple[str, ...]) -> None:
    received = front.raw(_request(key, *lines))
    assert b" 400 " in received.splitlines()[0]
    assert received.count(b"HTTP/1.1 ") == 1


def test_two_keys_are_none(front: Front, key: str) -> None:
    received = front.raw(_request(key, "Authorization: Bearer other", "Content-Length: 2", "Connection: close"))
    assert b" 400 " in received.splitlines()[0]
    assert b"duplicate-header" in received
