"""e-Project's own quirks: versions, tokens, its words for yes and no."""

from decimal import Decimal

import pytest
from aiohttp import web

from bus.contract.sink import Delivery
from bus.contract.verdict import Ambiguous, Delivered, Rejected, RetryLater, Unavailable
from connectors.e_project.config import EProjectConfig
from connectors.e_project.simulator import CLIENT_SECRET, EProject
from connectors.e_project.sink import EProjectSink, path_of
from connectors.kit.json_body import JsonRefused
from tests.connectors.servers import serving
from tests.contract.sink_contract import message

LINE = {
    "fiscal_year": 2026,
    "agency": "1.03.0.00.0.00.01.0000",
    "activity": "1.03.10.2.01.0029",
    "account": "5.1.02.01.01.0024",
}
LINE_KEY = "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.0024"
CONTRACT = {"register": "nontender", "code": "10060496000", "number": "000.4/405 Sekre/ä", "addendum": 0}


@pytest.fixture
def simulator():
    return EProject()


@pytest.fixture
async def server(simulator):
    async with serving(simulator.app()) as server:
        yield server


def sink_of(server, **more):
    return EProjectSink(EProjectConfig(url=server.url, client_secret=CLIENT_SECRET, **more))


@pytest.fixture
async def sink(server):
    sink = sink_of(server)
    yield sink
    await sink.close()


def delivery(key, target, *, type="budget.line", data=LINE, op="upsert", deadline=5.0):
    return Delivery(key, message(type, "s", data, op), 1, 1, target, deadline)


async def send(sink, *arguments, **more):
    (verdict,) = await sink.send([delivery(*arguments, **more)])
    return verdict


async def test_a_budget_line_is_stored_as_the_mapping_made_it(sink, simulator):
    body = {"pagu": "1250000000.00", "uraian": None, "volume": Decimal("12.50")}
    assert await send(sink, "k1", body) == Delivered("applied", 201)
    assert simulator.records["anggaran"] == {LINE_KEY: body}
    assert str(simulator.records["anggaran"][LINE_KEY]["volume"]) == "12.50"


@pytest.mark.parametrize(
    ("type", "data", "collection", "key"),
    [
        ("procurement.tender", {"register": "spse", "code": "77"}, "pengumuman", "spse:77"),
        ("procurement.award", {"register": "nontender", "code": "78"}, "hasil", "nontender:78"),
        ("contract.contract", CONTRACT, "kontrak", "nontender:10060496000:000.4%2F405%20Sekre%2F%C3%A4:0"),
    ],
)
async def test_each_type_goes_to_its_collection_and_its_deletion_too(sink, simulator, type, data, collection, key):
    assert isinstance(await send(sink, "k1", {"nama": "x"}, type=type, data=data), Delivered)
    assert simulator.records[collection] == {key: {"nama": "x"}}
    assert await send(sink, "k2", None, type=type, data=data, op="delete") == Delivered("applied", 200)
    assert simulator.records[collection] == {}


async def test_a_type_it_does_not_take_is_a_fault_of_the_mapping(sink):
    verdict = await send(sink, "k1", {}, type="permit.application", data={"id": "1"})
    assert isinstance(verdict, Rejected)
    assert verdict.at == "mapping"


async def test_a_target_that_is_no_json_is_a_fault_of_the_mapping(sink, simulator):
    verdict = await send(sink, "k1", {"pagu": object()})
    assert isinstance(verdict, Rejected)
    assert verdict.at == "mapping"
    assert simulator.faults.requests == 0


def test_a_missing_key_field_is_named():
    with pytest.raises(JsonRefused, match="account"):
        path_of(delivery("k", {}, data={name: LINE[name] for name in LINE if name != "account"}))


async def test_a_later_version_replaces_without_asking_for_the_version_again(sink, simulator):
    await send(sink, "k1", {"pagu": "1.00"})
    assert await send(sink, "k2", {"pagu": "2.00"}) == Delivered("applied", 200)
    assert simulator.faults.requests == 2
    assert simulator.revisions["anggaran", LINE_KEY] == 2


async def test_a_hub_that_has_forgotten_the_version_learns_it_from_the_conflict(sink, server, simulator):
    await send(sink, "k1", {"pagu": "1.00"})
    other = sink_of(server)
    assert await send(other, "k2", {"pagu": "2.00"}) == Delivered("applied", 200)
    await other.close()
    assert simulator.records["anggaran"][LINE_KEY] == {"pagu": "2.00"}


async def test_a_deletion_after_a_restart_learns_the_version_too(sink, server, simulator):
    await send(sink, "k1", {"pagu": "1.00"})
    other = sink_of(server)
    assert await send(other, "k2", None, op="delete") == Delivered("applied", 200)
    await other.close()
    assert await send(sink, "k3", {"pagu": "3.00"}) == Delivered("applied", 201)


async def test_a_record_that_changes_under_every_try_is_retried_later(sink, simulator):
    await send(sink, "k1", {"pagu": "1.00"})
    simulator.faults.order("versi_usang")
    verdict = await send(sink, "k2", {"pagu": "2.00"})
    assert isinstance(verdict, RetryLater)
    assert simulator.faults.requests == 3
    assert simulator.records["anggaran"][LINE_KEY] == {"pagu": "1.00"}


async def test_a_bare_409_is_retried_later(sink, simulator):
    simulator.faults.order("409")
    assert isinstance(await send(sink, "k1", {}), RetryLater)
    assert simulator.faults.requests == 1


async def test_a_withdrawn_token_is_renewed_once(sink, simulator):
    await send(sink, "k1", {"pagu": "1.00"})
    simulator.faults.order("token_dicabut", times=1)
    assert isinstance(await send(sink, "k2", {"pagu": "2.00"}), Delivered)
    simulator.faults.order("token_dicabut")
    assert isinstance(await send(sink, "k3", {"pagu": "3.00"}), Unavailable)


async def test_a_token_lives_as_long_as_the_server_says(server, simulator):
    simulator._token_life = 0.0
    sink = sink_of(server)
    await send(sink, "k1", {})
    simulator._token_life = 100.0
    await send(sink, "k2", {})
    tokens = len(simulator.tokens)
    await send(sink, "k3", {})
    await sink.close()
    assert len(simulator.tokens) == tokens


async def test_no_token_is_unavailable_and_tells_no_secret(sink, server, simulator):
    simulator.faults.order("token_ditolak")
    verdict = await send(sink, "k1", {})
    assert isinstance(verdict, Unavailable)
    assert "no access token" in verdict.reason
    assert CLIENT_SECRET not in repr(verdict)


async def test_many_senders_share_one_token(sink, simulator):
    import asyncio

    verdicts = await asyncio.gather(
        *(send(sink, f"k{n}", {}, data=LINE | {"fiscal_year": 2000 + n}) for n in range(20))
    )
    assert all(isinstance(verdict, Delivered) for verdict in verdicts)
    assert len(simulator.tokens) == 1


async def test_a_missing_route_is_not_a_deletion_that_is_done(sink, simulator):
    simulator.faults.order("404")
    assert isinstance(await send(sink, "k1", None, op="delete"), Unavailable)


async def test_not_found_is_never_success_of_a_write():
    async def token(request):
        return web.json_response({"access_token": "t", "expires_in": 60})

    async def missing(request):
        return web.json_response({"kode": "TIDAK_DITEMUKAN"}, status=404)

    app = web.Application()
    app.add_routes([web.post("/oauth/token", token), web.route("*", "/api/{tail:.*}", missing)])
    async with serving(app) as server:
        sink = sink_of(server)
        assert isinstance(await send(sink, "k1", {}), Unavailable)
        assert await send(sink, "k2", None, op="delete") == Delivered("absent", 404)
        await sink.close()


async def test_a_refusal_keeps_the_systems_own_words(sink):
    verdict = await send(sink, "k1", {"pagu": "-1.00"})
    assert verdict == Rejected("HTTP 422: DITOLAK: pagu tidak boleh negatif", 422)


@pytest.mark.parametrize("mode", ["html", "empty", "not_json", "compressed", "truncated", "slow"])
async def test_a_good_status_without_its_own_answer_is_ambiguous(sink, simulator, mode):
    simulator.faults.order(mode)
    assert isinstance(await send(sink, "k1", {}, deadline=0.5), Ambiguous)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("500", Ambiguous),
        ("500_after_apply", Ambiguous),
        ("502", Ambiguous),
        ("504", Ambiguous),
        ("unavailable", Unavailable),
        ("403", Unavailable),
        ("429", RetryLater),
        ("408", RetryLater),
        ("400", Rejected),
        ("413", Rejected),
        ("redirect", Rejected),
        ("hang", Ambiguous),
        ("reset", Ambiguous),
        ("reset_after_apply", Ambiguous),
    ],
)
async def test_each_fault_has_its_verdict(sink, simulator, mode, kind):
    simulator.faults.order(mode)
    assert isinstance(await send(sink, "k1", {}, deadline=0.5), kind)


async def test_the_rate_limit_is_honoured(server, simulator):
    simulator._limit = 1
    sink = sink_of(server)
    verdicts = [await send(sink, f"k{n}", {}, data=LINE | {"fiscal_year": 2000 + n}) for n in range(8)]
    await sink.close()
    limited = [verdict for verdict in verdicts if isinstance(verdict, RetryLater)]
    assert limited
    assert {verdict.after for verdict in limited} == {1.0}


def test_its_repr_names_the_host_alone():
    sink = EProjectSink(EProjectConfig(url="http://e-project.test:81/x", client_secret="s3cret"))
    assert repr(sink) == "EProjectSink(e-project.test)"
