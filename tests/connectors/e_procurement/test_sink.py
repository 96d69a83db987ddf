"""e-Procurement's own quirks: rows inside one answer, faults inside 200, and answers that are no SOAP."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable
from connectors.e_procurement.config import EProcurementConfig
from connectors.e_procurement.simulator import PASSWORD, Spse
from connectors.e_procurement.sink import EProcurementSink
from tests.connectors.servers import serving

from .test_contract import Bench, package


@pytest.fixture
async def bench():
    simulator = Spse()
    async with serving(simulator.app()) as server:
        bench = Bench(simulator, server)
        yield bench
        await bench.sink.close()
        await bench.source.close()


async def send(bench, *deliveries):
    return list(await bench.sink.send(deliveries))


async def test_a_package_is_stored_as_the_mapping_made_it_without_what_is_absent(bench):
    assert await send(bench, bench.delivery(1)) == [Delivered("applied", 200)]
    expected = {name: value for name, value in package(1).items() if value is not None}
    assert bench.simulator.packages == {"PKT-2026-000001": expected}


async def test_amounts_keep_their_digits(bench):
    amount = Decimal("12345678901234567890.10")
    await send(bench, bench.delivery(1, nilai=amount))
    assert bench.simulator.packages["PKT-2026-000001"]["nilai"] == "12345678901234567890.10"


async def test_fifty_packages_are_one_request(bench):
    verdicts = await send(bench, *(bench.delivery(number) for number in range(50)))
    assert verdicts == [Delivered("applied", 200)] * 50
    assert bench.faults.requests == 1


async def test_saves_and_deletions_in_one_send_each_get_their_answer(bench):
    await send(bench, bench.delivery(1), bench.delivery(2))
    verdicts = await send(
        bench, bench.delivery(3), bench.delivery(1, "delete"), bench.delivery(4), bench.delivery(9, "delete")
    )
    assert [verdict.detail for verdict in verdicts] == ["applied", "applied", "applied", "absent"]
    assert set(bench.simulator.packages) == {f"PKT-2026-{number:06d}" for number in (2, 3, 4)}


async def test_each_row_of_one_answer_counts_by_itself(bench):
    bench.faults.order("row_errors")
    verdicts = await send(bench, *(bench.delivery(number) for number in range(6)))
    assert [type(verdict) for verdict in verdicts] == [Delivered, RetryLater, Rejected] * 2
    assert verdicts[1] == RetryLater("GAGAL: baris terkunci", None, 200)
    assert verdicts[2] == Rejected("DITOLAK: baris ditolak", 200)
    assert len(bench.simulator.packages) == 2


async def test_a_row_without_an_answer_is_ambiguous_and_asked_for(bench):
    bench.faults.order("lost_row", times=1)
    deliveries = [bench.delivery(number) for number in range(3)]
    verdicts = await send(bench, *deliveries)
    assert [type(verdict) for verdict in verdicts] == [Delivered, Delivered, Ambiguous]
    assert await bench.sink.ask(deliveries[2]) == Delivered("applied", 200)


async def test_one_row_that_spoils_the_whole_call_is_found_and_the_others_are_sent(bench):
    # Longer than the schema allows: SPSE refuses the whole list with a Client fault.
    long = "X" * 300
    verdicts = await send(bench, bench.delivery(1), bench.delivery(2, kodePaket=long), bench.delivery(3))
    assert [type(verdict) for verdict in verdicts] == [Delivered, Rejected, Delivered]
    assert "Client" in verdicts[1].reason
    assert bench.faults.requests == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"kodePaket": None},
        {"namaPaket": "nol \x00"},
        {"warna": "merah"},
        {"nilai": ["1.00", "2.00"]},
    ],
    ids=["missing", "no xml character", "unknown element", "list for one"],
)
async def test_what_zeep_cannot_write_is_a_fault_of_the_mapping_and_its_neighbours_go(bench, wrong):
    (verdict,) = await send(bench, bench.delivery(1, **wrong) if "kodePaket" not in wrong else _without_code(bench))
    assert isinstance(verdict, Rejected)
    assert verdict.at == "mapping"
    assert bench.faults.requests == 0
    assert await send(bench, bench.delivery(2)) == [Delivered("applied", 200)]


def _without_code(bench):
    delivery = bench.delivery(1)
    return replace(delivery, target=delivery.target | {"kodePaket": None})


async def test_a_value_of_the_wrong_form_is_refused_by_the_service(bench):
    (verdict,) = await send(bench, bench.delivery(1, rencanaPemilihan="besok"))
    assert isinstance(verdict, Rejected)
    assert verdict.status == 500


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("fault", RetryLater),
        ("fault_in_200", RetryLater),
        ("fault_client", Rejected),
        ("row_errors", RetryLater),
        ("doctype", Ambiguous),
        ("html", Ambiguous),
        ("html_as_xml", Ambiguous),
        ("utf7", Ambiguous),
        ("other_service", Ambiguous),
        ("empty", Ambiguous),
        ("not_json", Ambiguous),
        ("truncated", Ambiguous),
        ("compressed", Ambiguous),
        ("slow", Ambiguous),
        ("hang", Ambiguous),
        ("reset", Ambiguous),
        ("reset_after_apply", Ambiguous),
        ("500", Ambiguous),
        ("500_after_apply", Ambiguous),
        ("502", Ambiguous),
        ("504", Ambiguous),
        ("204", Ambiguous),
        ("unavailable", Unavailable),
        ("401", Unavailable),
        ("403", Unavailable),
        ("404", Unavailable),
        ("429", RetryLater),
        ("408", RetryLater),
        ("400", Rejected),
        ("413", Rejected),
        ("redirect", Rejected),
        ("echo", Rejected),
    ],
)
async def test_each_fault_has_its_verdict_for_one_and_for_many(bench, mode, kind):
    bench.faults.order(mode)
    deliveries = [replace(bench.delivery(number), deadline=0.6) for number in (1, 4)]
    (alone,) = await send(bench, deliveries[0])
    assert isinstance(alone, kind), alone
    if mode != "row_errors":
        together = await send(bench, *deliveries)
        assert all(isinstance(verdict, kind) for verdict in together), together


async def test_a_busy_service_tells_how_long_to_wait(bench):
    bench.faults.order("unavailable", wait="30")
    (verdict,) = await send(bench, bench.delivery(1))
    assert verdict.after == 30


async def test_a_wrong_password_is_not_the_messages_fault(bench):
    sink = EProcurementSink(EProcurementConfig(url=bench.server.url + "/soap", password="salah"))
    (verdict,) = await sink.send([bench.delivery(1)])
    await sink.close()
    assert isinstance(verdict, Unavailable)
    assert bench.simulator.packages == {}


async def test_asked_while_it_fails_never_says_that_it_is_not_there(bench):
    for mode in ("fault", "fault_client", "500", "hang", "doctype", "truncated"):
        bench.faults.order(mode)
        assert isinstance(await bench.sink.ask(replace(bench.delivery(1), deadline=0.4)), Unavailable), mode


async def test_no_time_left_sends_nothing(bench):
    (verdict,) = await send(bench, replace(bench.delivery(1), deadline=0.0))
    assert isinstance(verdict, Unavailable)
    assert bench.faults.requests == 0


async def test_no_deliveries_no_request(bench):
    assert await send(bench) == []
    assert bench.faults.requests == 0


async def test_a_password_repeated_in_a_fault_is_not_told(bench):
    bench.faults.order("fault_echo")
    (verdict,) = await send(bench, bench.delivery(1))
    assert "***" in verdict.reason
    assert PASSWORD not in repr(verdict)
