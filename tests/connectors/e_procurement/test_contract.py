import base64

import pytest

from bus.contract.sink import Delivery
from connectors.e_procurement.config import EProcurementConfig
from connectors.e_procurement.simulator import PASSWORD, USERNAME, Spse
from connectors.e_procurement.sink import EProcurementSink
from connectors.e_procurement.source import SpseAnnouncements
from tests.connectors.servers import MODES, Misbehaving, serving
from tests.contract.sink_contract import SinkContract, message
from tests.contract.source_contract import SourceContract


def package(number, **changes):
    return {
        "kodePaket": f"PKT-2026-{number:06d}",
        "kodeRup": None,
        "namaPaket": f"Pemeliharaan jalan {number}",
        "kodeOpd": "1.03.0.00.0.00.01.0000",
        "tahunAnggaran": 2026,
        "kodeSubKegiatan": "1.03.10.2.01.0029",
        "kodeRekening": "5.1.02.01.01.0024",
        "nilai": "850000000.00",
        "jenis": None,
        "metode": "Tender",
        "rencanaPemilihan": "2026-02-02",
        "status": "disetujui",
    } | changes


class Bench(Misbehaving):
    modes = MODES | {
        "says no in a good answer": "fault_in_200",
        "answers nonsense": "html",
        "repeats what it was sent": "fault_echo",
    }
    secrets = (PASSWORD, base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode())
    page = 3
    slowest = 0.6

    def __init__(self, simulator, server):
        self.simulator, self.faults, self.server = simulator, simulator.faults, server
        config = EProcurementConfig(url=server.url + "/soap", password=PASSWORD, timeout=self.slowest, page=self.page)
        self.sink = EProcurementSink(config)
        self.source = SpseAnnouncements(config)

    def delivery(self, number, op="upsert", **changes):
        target = package(number, **changes)
        data = {"register": "e-project", "code": target["kodePaket"]}
        told = message("project.package", str(number), data, op)
        return Delivery(f"{op}-{number}", told, 1, 1, None if op == "delete" else target, deadline=5)

    def refused(self, number):
        return self.delivery(number, nilai="-1.00")

    def effects(self, delivery):
        return self.simulator.effects[delivery.key]

    async def put(self, number, version):
        held = package(number, nilai=f"{version}00000000.00", namaPaket=f"{number}/{version}")
        del held["kodeRup"], held["jenis"]
        code = held["kodePaket"]
        self.simulator._commit({"perintah": "simpan", "kode": code, "idem": f"{number}/{version}", "paket": held})

    def seen(self, page):
        return [tuple(map(int, row.values["namaPaket"].split("/"))) for row in page.rows]


@pytest.fixture
async def bench():
    # This seed tenders none of the first packages twice, so that each put is one change.
    simulator = Spse(seed="")
    async with serving(simulator.app()) as server:
        bench = Bench(simulator, server)
        yield bench
        await bench.sink.close()
        await bench.source.close()


class TestEProcurementSink(SinkContract):
    @pytest.fixture
    async def bench(self, bench):
        return bench


class TestSpseAnnouncements(SourceContract):
    @pytest.fixture
    async def bench(self, bench):
        return bench
