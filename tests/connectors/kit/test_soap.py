"""The kit's SOAP client: what it loads, and what it makes of every kind of failure."""

import asyncio
import threading
from pathlib import Path

import pytest
from aiohttp import web

from bus.contract.verdict import Ambiguous, Rejected, RetryLater, Unavailable
from connectors.e_procurement.envelopes import envelope, fault
from connectors.e_procurement.service import BINDING, WSDL
from connectors.kit.http import HttpClient
from connectors.kit.soap import SoapClient, SoapFailure
from tests.connectors.servers import serving

GOOD = envelope("CekPaketResponse", {"idempotencyKey": "k", "ditemukan": False}).partition(b"?>")[2].strip()


@pytest.fixture
async def http():
    http = HttpClient()
    yield http
    await http.close()


async def answer_for(http, body, *, type="text/xml"):
    async def answer(request):
        return web.Response(body=body, headers={"Content-Type": type})

    app = web.Application()
    app.add_routes([web.post("/soap", answer)])
    async with serving(app) as server:
        client = SoapClient(WSDL, BINDING, server.url + "/soap", http)
        try:
            return await client.call("CekPaket", 5, {"idempotencyKey": "k"})
        finally:
            await client.close()


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b'<?xml version="1.0" encoding="UTF-8"?>', b"<!-- x -->"])
async def test_a_good_answer_is_read(http, start):
    assert await answer_for(http, start + GOOD) == {"idempotencyKey": "k", "ditemukan": False, "hasil": None}


async def verdict_for(http, body, *, status=200, type="text/xml", wsdl=WSDL):
    async def answer(request):
        return web.Response(body=body, status=status, headers={"Content-Type": type})

    app = web.Application()
    app.add_routes([web.post("/soap", answer)])
    async with serving(app) as server:
        client = SoapClient(wsdl, BINDING, server.url + "/soap", http)
        try:
            with pytest.raises(SoapFailure) as caught:
                await client.call("CekPaket", 5, {"idempotencyKey": "k"})
        finally:
            await client.close()
    return caught.value.verdict


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("Client", Rejected),
        ("Client.Validasi", Rejected),
        ("VersionMismatch", Rejected),
        ("MustUnderstand", Rejected),
        ("Server", RetryLater),
        ("Server.Sibuk", RetryLater),
        ("SPSE-17", Ambiguous),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_fault_means_the_same_with_every_status(http, code, kind, status):
    assert isinstance(await verdict_for(http, fault(code, "sebab"), status=status), kind)


@pytest.mark.parametrize(("status", "kind"), [(503, Unavailable), (429, RetryLater), (403, Unavailable)])
async def test_a_status_that_speaks_for_itself_is_heard_before_the_fault(http, status, kind):
    assert isinstance(await verdict_for(http, fault("Client", "sebab"), status=status), kind)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a",
        b"<a/>",
        b"<!DOCTYPE a>" + GOOD,
        b'<!DOCTYPE a [<!ENTITY e "e">]>' + GOOD,
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">' + GOOD,
        '<?xml version="1.0" encoding="utf-16"?>'.encode("utf-16") + GOOD.decode().encode("utf-16-le"),
        b'<?xml version="1.0" encoding="utf-7"?>' + GOOD,
        b"<a>" * 400 + b"</a>" * 400,
        envelope("CekPaketResponse", {"ditemukan": True, "warna": "merah"}),
        envelope("SimpanPaketResponse", {"status": "OK"}),
    ],
    ids=[
        "empty",
        "cut",
        "no-envelope",
        "doctype",
        "entity",
        "dtd",
        "utf16",
        "utf7",
        "deep",
        "unknown-element",
        "other-answer",
    ],
)
async def test_what_is_not_the_services_answer_is_ambiguous(http, body):
    assert isinstance(await verdict_for(http, body), Ambiguous)


@pytest.mark.parametrize("type", ["text/html", "application/json", "multipart/related; boundary=x", ""])
async def test_another_content_type_is_ambiguous(http, type):
    assert isinstance(await verdict_for(http, GOOD, type=type), Ambiguous)


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../../../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/x.xsd"]
)
async def test_a_wsdl_reads_nothing_outside_its_folder(http, tmp_path: Path, location):
    wsdl = tmp_path / "jahat.wsdl"
    wsdl.write_text(
        WSDL.read_text().replace(
            "<wsdl:types>", f'<wsdl:import namespace="urn:lain" location="{location}"/><wsdl:types>', 1
        )
    )
    verdict = await verdict_for(http, b"", wsdl=wsdl)
    assert isinstance(verdict, Unavailable)
    assert verdict.at == "hub"
    assert "XMLSyntax" not in verdict.reason, "the file was opened"


async def test_a_cancelled_call_sends_nothing_more_and_frees_its_thread(http):
    arrived = asyncio.Event()
    gone = asyncio.Event()

    async def hold(request):
        arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()

    app = web.Application()
    app.add_routes([web.post("/soap", hold)])
    async with serving(app) as server:
        client = SoapClient(WSDL, BINDING, server.url + "/soap", http, threads=1)
        call = asyncio.create_task(client.call("CekPaket", 60, {"idempotencyKey": "k"}))
        await asyncio.wait_for(arrived.wait(), 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(gone.wait(), 10)
        with pytest.raises(SoapFailure):
            # The one thread is free again: this call ends by its own deadline, not the first one's.
            await asyncio.wait_for(client.call("CekPaket", 0.2, {"idempotencyKey": "k"}), 10)
        await client.close()


async def test_calls_share_a_bounded_pool_and_one_zeep_client(http):
    async def answer(request):
        return web.Response(
            body=envelope("CekPaketResponse", {"idempotencyKey": "k", "ditemukan": False}), content_type="text/xml"
        )

    app = web.Application()
    app.add_routes([web.post("/soap", answer)])
    async with serving(app) as server:
        client = SoapClient(WSDL, BINDING, server.url + "/soap", http, threads=3)
        answers = await asyncio.gather(*(client.call("CekPaket", 10, {"idempotencyKey": "k"}) for _ in range(30)))
        threads = sum(thread.name.startswith("soap") for thread in threading.enumerate())
        await client.close()
    assert answers == [{"idempotencyKey": "k", "ditemukan": False, "hasil": None}] * 30
    assert threads <= 3
