"""The feed of packages on the wire."""

import json
from decimal import Decimal

import pytest
from aiohttp import web

from bus.contract.feed import SourceUnavailable
from connectors.e_project.config import EProjectConfig
from connectors.e_project.simulator import CLIENT_SECRET, EProject
from connectors.e_project.source import EProjectPackages
from tests.connectors.servers import serving


class Fixed:
    """An e-Project that gives one answer to every question for packages."""

    def __init__(self, body):
        self.body = body

    def app(self):
        async def token(request):
            return web.json_response({"access_token": "t", "expires_in": 60})

        async def packages(request):
            return web.Response(body=self.body, content_type="application/json")

        app = web.Application()
        app.add_routes([web.post("/oauth/token", token), web.get("/api/paket", packages)])
        return app


async def fetch(body, cursor=None):
    async with serving(Fixed(body).app()) as server:
        source = EProjectPackages(EProjectConfig(url=server.url, client_secret="s"))
        try:
            return await source.fetch(cursor)
        finally:
            await source.close()


async def test_numbers_keep_their_digits_in_values_and_raw():
    page = await fetch(b'{"data": [{"id": "P", "nilai": 12345678901234567.10}], "kursor": "1"}')
    (row,) = page.rows
    assert row.values == {"id": "P", "nilai": Decimal("12345678901234567.10")}
    assert row.raw == '{"id":"P","nilai":12345678901234567.10}'


async def test_an_item_that_is_no_package_is_a_row_with_its_reason():
    page = await fetch(b'{"data": [7, {"id": "P"}], "kursor": "1"}')
    bad, good = page.rows
    assert bad.raw == "7"
    assert bad.problems
    assert good.values == {"id": "P"}
    assert not good.problems


async def test_a_page_that_does_not_move_is_the_last():
    assert not (await fetch(b'{"data": [], "kursor": "5", "lagi": true}', "5")).more


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"7", b'{"data": {}, "kursor": "1"}', b'{"data": [], "kursor": 1}', b'{"data": [NaN]}']
)
async def test_another_answer_is_unavailable(body):
    with pytest.raises(SourceUnavailable):
        await fetch(body)


async def test_a_withdrawn_token_is_renewed():
    simulator = EProject()
    async with serving(simulator.app()) as server:
        source = EProjectPackages(EProjectConfig(url=server.url, client_secret=CLIENT_SECRET))
        await source.fetch(None)
        simulator.tokens.clear()
        assert (await source.fetch(None)).cursor == "0"
        await source.close()


async def test_the_simulators_packages_are_read_by_the_mapping():
    from mappings.e_project import paket

    simulator = EProject()
    simulator.planning.line_changed(
        "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.0024", {"pagu": "1250000000.00"}
    )
    async with serving(simulator.app()) as server:
        source = EProjectPackages(EProjectConfig(url=server.url, client_secret=CLIENT_SECRET))
        (row,) = (await source.fetch(None)).rows
        await source.close()
    package = paket.to_canonical(row.values)
    assert package.account == "5.1.02.01.01.0024"
    assert Decimal(0) < package.value <= Decimal("1250000000.00")
    assert json.loads(row.raw) == dict(row.values)
