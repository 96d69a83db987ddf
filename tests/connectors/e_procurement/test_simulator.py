"""The simulated SPSE: what it refuses, what it remembers, how it announces."""

import asyncio
import sys

import aiohttp
import pytest

from connectors.e_procurement.announcing import Announcing
from connectors.e_procurement.config import EProcurementConfig
from connectors.e_procurement.envelopes import SoapFault, envelope, request_in, schema
from connectors.e_procurement.simulator import PASSWORD, Spse
from connectors.e_procurement.sink import EProcurementSink
from tests.connectors.processes import started
from tests.connectors.servers import serving
from tests.services.waiting import wait_until_async

from .test_contract import Bench, package

GOOD = envelope("CekPaket", {"idempotencyKey": "k"})
HEADER = b'<soap:Header><x soap:mustUnderstand="1"/></soap:Header>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "Client"),
        (b"<html>", "Client"),
        (b"\xff\xfe" + GOOD, "Client"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + GOOD[38:], "Client"),
        (b"<!DOCTYPE x>" + GOOD[38:], "Client"),
        (GOOD.replace(b"schemas.xmlsoap.org/soap/envelope/", b"www.w3.org/2003/05/soap-envelope"), "VersionMismatch"),
        (GOOD.replace(b"<soap:Body>", HEADER + b"<soap:Body>"), "MustUnderstand"),
        (GOOD.replace(b"</soap:Envelope>", b"<soap:Body/></soap:Envelope>"), "Client"),
        (envelope("CekPaket", {}), "Client"),
        (envelope("Lain", {}), "Client"),
        (b"<a>" * 300 + b"</a>" * 300, "Client"),
    ],
    ids=[
        "empty",
        "html",
        "latin",
        "entity",
        "doctype",
        "soap12",
        "must-understand",
        "two-bodies",
        "schema",
        "unknown",
        "deep",
    ],
)
def test_a_hostile_envelope_is_a_fault(body, code):
    with pytest.raises(SoapFault) as caught:
        request_in(body, schema())
    assert caught.value.code == code


def test_a_good_envelope_gives_its_element():
    assert request_in(GOOD, schema()).tag.endswith("CekPaket")


async def test_the_operation_is_that_of_the_body_whatever_soapaction_says():
    simulator = Spse()
    async with serving(simulator.app()) as server, aiohttp.ClientSession() as session:
        headers = {
            "SOAPAction": "urn:surabaya:spse:1/HapusPaket",
            "Authorization": aiohttp.encode_basic_auth("arus", PASSWORD),
        }
        async with session.post(server.url + "/soap", data=GOOD, headers=headers) as answer:
            assert b"CekPaketResponse" in await answer.read()
        async with session.post(server.url + "/soap", data=GOOD) as answer:
            assert answer.status == 401
        async with session.get(server.url + "/soap?wsdl") as answer:
            assert b"SpseBinding" in await answer.read()


async def test_it_keeps_its_state_and_its_announcements_through_a_kill(tmp_path):
    journal = tmp_path / "spse.ndjson"
    arguments = ("--state", str(journal), "--delay", "0.01")

    async def status(url):
        async with aiohttp.ClientSession() as session, session.get(url + "/kendali/status") as answer:
            return await answer.json()

    async def send(url, number):
        bench = Bench.__new__(Bench)
        sink = EProcurementSink(EProcurementConfig(url=url + "/soap", password=PASSWORD))
        (verdict,) = await sink.send([Bench.delivery(bench, number)])
        await sink.close()
        return verdict.detail

    async with started("connectors.e_procurement.simulator", *arguments) as (process, url):
        assert [await send(url, number) for number in range(20)] == ["applied"] * 20
        process.kill()
        await process.wait()
    async with started("connectors.e_procurement.simulator", *arguments) as (_, url):
        assert await send(url, 3) == "duplicate"

        async def settled():
            return (await status(url))["menunggu"] == 0

        await wait_until_async(settled, what="every package announced")
        state = await status(url)
    assert len(state["paket"]) == len(state["pengumuman"]) == 20
    assert state["efek"] == 20
    assert {one["versi"] for one in state["pengumuman"].values()} == {"1", "2"}


async def test_it_imports_nothing_of_the_hub():
    code = "import sys, connectors.e_procurement.simulator; print([m for m in sys.modules if m.split('.')[0] == 'bus'])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.strip() == b"[]"


def test_a_changed_package_changes_its_announcement_and_a_deleted_one_is_called_off():
    announcing, held = Announcing(), package(1)
    while announcing.due("P", held):
        announcing.step("P", held)
    (first,) = announcing.announcements.values()
    held = package(1, nilai="900000000.00")
    announcing.step("P", held)
    (second,) = announcing.announcements.values()
    assert (second["pagu"], second["versi"]) == ("900000000.00", first["versi"])
    assert announcing.retender("P")
    announcing.step("P", None)
    (last,) = announcing.announcements.values()
    assert (last["status"], last["versi"]) == ("Batal", str(int(first["versi"]) + 1))
    assert not announcing.due("P", None)
    assert not announcing.retender("tidak ada")
