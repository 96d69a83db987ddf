"""The HTTP client against servers that do not behave."""

import asyncio
import socket
import ssl
import time
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from aiohttp import web

from bus.contract.verdict import Ambiguous, Delivered, Unavailable
from connectors.kit.http import Answer, HttpClient, NoAnswer, OutboundRefused, Unreadable
from connectors.kit.reasons import quoted
from tests.connectors.servers import serving


@pytest.fixture
async def client():
    client = HttpClient(largest_answer=100_000)
    yield client
    await client.close()


@asynccontextmanager
async def wire(answer):
    """A bare TCP server: ``answer(reader, writer)`` is all it does."""
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(*parts, pause=0.0):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


async def failure(client, url, deadline=5.0, **more):
    with pytest.raises(NoAnswer) as caught:
        await client.request("POST", url, deadline=deadline, body=b"{}", **more)
    return caught.value.verdict


async def test_nobody_listens_is_unavailable(client):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert isinstance(await failure(client, f"http://127.0.0.1:{port}/"), Unavailable)


async def test_an_unknown_name_is_unavailable(client):
    verdict = await failure(client, "http://tidak-ada.invalid/rahasia")
    assert isinstance(verdict, Unavailable)
    assert "rahasia" not in verdict.reason


async def test_no_time_left_sends_nothing(client):
    async def unreachable(reader, writer):
        pytest.fail("it was sent")

    async with wire(unreachable) as url:
        verdict = await failure(client, url, deadline=0)
    assert isinstance(verdict, Unavailable)
    assert verdict.at == "hub"


async def test_silence_after_sending_is_ambiguous_at_the_deadline(client):
    async def silent(reader, writer):
        await reader.read()

    async with wire(silent) as url:
        begun = time.monotonic()
        assert isinstance(await failure(client, url, deadline=0.3), Ambiguous)
        assert time.monotonic() - begun < 1.5


async def test_a_header_that_drips_does_not_outlast_the_deadline(client):
    async with wire(says(*[b"H"] * 100, pause=0.1)) as url:
        begun = time.monotonic()
        assert isinstance(await failure(client, url, deadline=0.5), Ambiguous)
        assert time.monotonic() - begun < 1.5


async def test_a_body_that_drips_is_cut_at_the_deadline_and_its_status_counts(client):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with wire(says(head, *[b"x"] * 100, pause=0.1)) as url:
        begun = time.monotonic()
        answer = await client.request("GET", url, deadline=0.5)
        assert time.monotonic() - begun < 1.5
    assert not answer.complete
    with pytest.raises(Unreadable):
        answer.json()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"bukan HTTP\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: banyak\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["closed", "no http", "no status", "no length", "huge header"],
)
async def test_an_unusable_answer_is_ambiguous(client, answer):
    async with wire(says(answer)) as url:
        assert isinstance(await failure(client, url), Ambiguous)


async def test_a_body_shorter_than_it_says_is_incomplete(client):
    async with wire(says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")) as url:
        assert not (await client.request("GET", url, deadline=5)).complete


async def test_a_body_longer_than_is_read_is_cut(client):
    async with wire(says(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65_536] * 4)) as url:
        answer = await client.request("GET", url, deadline=5)
    assert not answer.complete
    assert len(answer.body) == 100_000


async def test_a_compressed_answer_is_never_inflated(client):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"
    async with wire(says(head)) as url:
        answer = await client.request("GET", url, deadline=5)
    assert answer.body == b"\x1f\x8b\x08"
    with pytest.raises(Unreadable):
        answer.json()


async def test_a_redirect_is_not_followed_and_a_cookie_not_kept(client):
    seen = []

    async def there(request):
        seen.append((request.path, request.headers.get("Cookie")))
        return web.Response(status=302, headers={"Location": "/lain", "Set-Cookie": "s=1"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", there)
    async with serving(app) as server:
        # By name: a cookie jar keeps none of a bare address.
        url = server.url.replace("127.0.0.1", "localhost") + "/"
        for _ in range(2):
            assert (await client.request("GET", url, deadline=5)).status == 302
    assert seen == [("/", None), ("/", None)]


async def test_a_policy_refuses_before_anything_is_sent():
    def policy(url):
        raise OutboundRefused("this address is not listed in ARUS_OUTBOUND_ALLOW")

    client = HttpClient(policy)
    verdict = await failure(client, "http://127.0.0.1:1/kunci")
    await client.close()
    assert isinstance(verdict, Unavailable)
    assert verdict.at == "hub"
    assert "ARUS_OUTBOUND_ALLOW" in verdict.reason


async def test_a_certificate_nobody_trusts_is_unavailable_and_no_body_was_sent(client, tmp_path):
    from tests.connectors.kit.certificate import self_signed

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    received = bytearray()

    async def serve(reader, writer):
        received.extend(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    verdict = await failure(client, f"https://127.0.0.1:{port}/")
    server.close()
    assert isinstance(verdict, Unavailable)
    assert "certificate" in verdict.reason
    assert not received


async def test_header_injection_is_refused_here(client):
    received = bytearray()

    async def listen(reader, writer):
        received.extend(await reader.read())

    async with wire(listen) as url:
        verdict = await failure(client, url, headers={"X": "a\r\nY: b"})
    assert not received
    assert isinstance(verdict, Unavailable)
    assert verdict.at == "hub"


async def test_a_closed_client_opens_anew(client):
    async with wire(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as url:
        await client.request("GET", url, deadline=5)
        await client.close()
        await client.close()
        answer = await client.request("GET", url, deadline=5)
    assert answer.verdict() == Delivered(status=200)


def test_json_numbers_stay_exact():
    answer = Answer(200, {}, b'{"pagu": 12345678901234567.89, "n": 12345678901234567890123, "kecil": 7}')
    assert answer.json() == {
        "pagu": Decimal("12345678901234567.89"),
        "n": Decimal(12345678901234567890123),
        "kecil": 7,
    }


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[NaN]", b"[" * 100_000, b"<html>"])
def test_what_is_not_json_is_unreadable(body):
    with pytest.raises(Unreadable):
        Answer(200, {}, body).json()


def test_a_quoted_text_is_short_one_line_and_without_secrets():
    text = quoted("gagal\n\x1b[31m kunci=rahasia " + "x" * 1000, ["rahasia"])
    assert "rahasia" not in text
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text) == 200
