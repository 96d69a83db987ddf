import pytest

from bus.contract.sink import Delivery
from connectors.webhook.sink import WebhookSink
from tests.connectors.servers import MODES, Misbehaving, Server, serving
from tests.contract.sink_contract import SinkContract, message

from .receiver import SECRET, Receiver


class WebhookBench(Misbehaving):
    secrets = (SECRET, "a-secret-of-the-test", "jalan-rahasia")
    # A subscriber's word is its status, so a good answer that means no is a redirect; nonsense is a broken one.
    modes = MODES | {"says no in a good answer": "redirect", "answers nonsense": "reset"}

    def __init__(self, receiver: Receiver, server: Server) -> None:
        self.receiver, self.faults, self.server = receiver, receiver.faults, server
        self.sink = WebhookSink(server.url + "/terima?kunci=jalan-rahasia", SECRET)

    def delivery(self, number, op="upsert"):
        data = {"kode": number, "uraian": "Pemeliharaan jalan"}
        return Delivery(f"{op}-{number}", message("budget.line", str(number), data, op), 7, 1, None, deadline=5)

    def refused(self, number):
        data = {"kode": number, "uraian": "tidak sah"}
        return Delivery(f"bad-{number}", message("budget.line", str(number), data), 7, 1, None, deadline=5)

    def effects(self, delivery):
        return self.receiver.effects[delivery.key]


class TestWebhookSink(SinkContract):
    @pytest.fixture
    async def bench(self):
        receiver = Receiver()
        async with serving(receiver.app()) as server:
            bench = WebhookBench(receiver, server)
            yield bench
            await bench.sink.close()
