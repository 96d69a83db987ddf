"""The feed of announcements on the wire."""

import orjson
import pytest
from aiohttp import web

from bus.contract.feed import SourceUnavailable
from connectors.e_procurement.config import EProcurementConfig
from connectors.e_procurement.envelopes import envelope
from connectors.e_procurement.simulator import PASSWORD, Spse
from connectors.e_procurement.source import SpseAnnouncements
from tests.connectors.servers import serving

from .test_contract import Bench


async def fetch(content, cursor=None):
    async def soap(request):
        return web.Response(body=envelope("AmbilPengumumanResponse", content), content_type="text/xml")

    app = web.Application()
    app.add_routes([web.post("/soap", soap)])
    async with serving(app) as server:
        source = SpseAnnouncements(EProcurementConfig(url=server.url + "/soap", password=PASSWORD))
        try:
            return await source.fetch(cursor)
        finally:
            await source.close()


async def test_text_stays_as_it_was_sent_and_one_bad_amount_spoils_nothing():
    rows = [{"kodePaket": "1", "pagu": "1.234.567,89"}, {"kodePaket": "2", "pagu": "0850000000.10"}]
    page = await fetch({"pengumuman": rows, "kursor": "2", "lagi": False})
    assert [row.values for row in page.rows] == rows
    assert [orjson.loads(row.raw) for row in page.rows] == rows


async def test_a_page_that_does_not_move_is_the_last():
    assert not (await fetch({"kursor": "5", "lagi": True}, "5")).more


@pytest.mark.parametrize("content", [{}, {"kursor": "", "lagi": False}, {"warna": "merah"}])
async def test_another_answer_is_unavailable(content):
    with pytest.raises(SourceUnavailable):
        await fetch(content)


async def test_the_simulators_announcements_are_read_by_the_mapping():
    from mappings.e_procurement import spse_pengumuman

    simulator = Spse()
    async with serving(simulator.app()) as server:
        bench = Bench(simulator, server)
        deliveries = [bench.delivery(number, kodeRup="1234567890") for number in range(30)]
        await bench.sink.send(deliveries)
        cursor, rows = None, []
        while True:
            page = await bench.source.fetch(cursor)
            rows += page.rows
            cursor = page.cursor
            if not page.more:
                break
        await bench.sink.close()
        await bench.source.close()
    tenders = [spse_pengumuman.to_canonical(row.values) for row in rows]
    assert {tender.package_code for tender in tenders} == {delivery.target["kodePaket"] for delivery in deliveries}
    assert all(tender.estimate < tender.ceiling for tender in tenders)
    assert {tender.announcement_version for tender in tenders} == {1, 2}, "some are tendered again"
