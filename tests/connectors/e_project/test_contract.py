from decimal import Decimal

import pytest

from bus.contract.sink import Delivery
from connectors.e_project.config import EProjectConfig
from connectors.e_project.simulator import CLIENT_SECRET, EProject
from connectors.e_project.sink import EProjectSink
from connectors.e_project.source import EProjectPackages
from tests.connectors.servers import Misbehaving, serving
from tests.contract.sink_contract import SinkContract, message
from tests.contract.source_contract import SourceContract


class Bench(Misbehaving):
    page = 3
    slowest = 0.4

    def __init__(self, simulator, server):
        self.simulator, self.faults, self.server = simulator, simulator.faults, server
        config = EProjectConfig(url=server.url, client_secret=CLIENT_SECRET, timeout=self.slowest, page=self.page)
        self.sink = EProjectSink(config)
        self.source = EProjectPackages(config)

    @property
    def secrets(self):
        return [CLIENT_SECRET, *self.simulator.tokens]

    def delivery(self, number, op="upsert", pagu="1250000000.00"):
        key = {"fiscal_year": 2026, "agency": "1.03.0.00.0.00.01.0000", "activity": "1.03.10.2.01.0029"}
        key["account"] = f"5.1.02.01.01.{number:04d}"
        target = None if op == "delete" else {"pagu": pagu, "uraian": f"Baris {number}"}
        return Delivery(f"{op}-{number}", message("budget.line", str(number), key, op), 1, 1, target, deadline=5)

    def refused(self, number):
        return self.delivery(number, pagu="-1.00")

    def effects(self, delivery):
        return self.simulator.effects[delivery.key]

    async def put(self, number, version):
        self.simulator.planning.line_changed(
            f"2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.{number:04d}",
            {"pagu": Decimal(version * 10**9), "uraian": f"{number}/{version}"},
        )

    def seen(self, page):
        return [tuple(map(int, row.values["nama"].removeprefix("Paket ").split("/"))) for row in page.rows]


@pytest.fixture
async def bench():
    simulator = EProject()
    async with serving(simulator.app()) as server:
        bench = Bench(simulator, server)
        yield bench
        await bench.sink.close()
        await bench.source.close()


class TestEProjectSink(SinkContract):
    @pytest.fixture
    async def bench(self, bench):
        return bench


class TestEProjectPackages(SourceContract):
    @pytest.fixture
    async def bench(self, bench):
        return bench
