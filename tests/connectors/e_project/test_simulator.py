"""The simulator as its own process, and its planning."""

import asyncio
import json
import sys

import aiohttp

from connectors.e_project.planning import Planning
from connectors.e_project.simulator import CLIENT_ID, CLIENT_SECRET
from tests.connectors.processes import started

KEY = "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.0024"
PATH = "/api/anggaran/" + KEY.replace(":", "/")


async def put(session, url, key, pagu):
    account = {"Authorization": aiohttp.encode_basic_auth(CLIENT_ID, CLIENT_SECRET)}
    async with session.post(url + "/oauth/token", data={"grant_type": "client_credentials"}, headers=account) as answer:
        token = (await answer.json())["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    async with session.put(url + PATH, json={"pagu": pagu}, headers=headers) as answer:
        return answer.status, dict(answer.headers)


async def test_it_keeps_its_state_through_a_kill_and_forgets_a_torn_line(tmp_path):
    journal = tmp_path / "e-project.ndjson"
    async with aiohttp.ClientSession() as session:
        async with started("connectors.e_project.simulator", "--state", str(journal)) as (process, url):
            assert (await put(session, url, "k1", "100.00"))[0] == 201
            process.kill()
            await process.wait()
        with journal.open("ab") as file:
            file.write(b'{"koleksi": "anggaran", "kun')
        async with started("connectors.e_project.simulator", "--state", str(journal)) as (_, url):
            status, headers = await put(session, url, "k1", "100.00")
            assert (status, headers["Idempotent-Replayed"]) == (201, "true")
            async with session.get(url + "/kendali/status") as answer:
                state = await answer.json()
    assert state["anggaran"] == {KEY: {"pagu": "100.00"}}
    assert len(state["paket"]) == 1
    assert all(json.loads(line) for line in journal.read_text().splitlines())


async def test_it_is_told_to_misbehave_and_to_stop_it():
    async with started("connectors.e_project.simulator") as (_, url), aiohttp.ClientSession() as session:
        await session.post(url + "/kendali/gagal", json={"mode": "unavailable", "times": 1})
        assert [(await put(session, url, f"k{n}", "1.00"))[0] for n in range(2)] == [503, 201]
        await session.post(url + "/kendali/gagal", json={"mode": "500", "times": -1})
        assert (await put(session, url, "k9", "1.00"))[0] == 500
        await session.post(url + "/kendali/pulih")
        assert (await put(session, url, "k1", "1.00"))[0] == 201


async def test_it_imports_nothing_of_the_hub():
    code = "import sys, connectors.e_project.simulator; print([m for m in sys.modules if m.split('.')[0] == 'bus'])"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.strip() == b"[]"


def test_the_same_line_gives_the_same_package_and_another_seed_another():
    one, two, other = Planning(), Planning(), Planning("lain")
    for planning in (one, two, other):
        planning.line_changed(KEY, {"pagu": "1000000.00"})
    assert one.packages == two.packages
    assert one.packages != other.packages


def test_a_line_that_goes_or_loses_its_money_cancels_its_package_and_an_unchanged_one_changes_nothing():
    planning = Planning()
    planning.line_changed(KEY, {"pagu": "1000000.00"})
    planning.line_changed(KEY, {"pagu": "1000000.00"})
    found, cursor, more = planning.log.changed(0, 10)
    assert ([package["revisi"] for package in found], cursor, more) == ([0], 1, False)
    planning.line_changed(KEY, None)
    (package,), cursor, _ = planning.log.changed(cursor, 10)
    assert (package["status"], package["revisi"], cursor) == ("dibatalkan", 1, 2)
    planning.line_changed(KEY, {"pagu": "0.00"})
    assert planning.log.changed(cursor, 10) == ([], 2, False)


def test_a_package_that_changed_twice_is_given_once_with_its_last_state():
    planning = Planning()
    planning.line_changed(KEY, {"pagu": "1000000.00"})
    planning.line_changed(KEY, {"pagu": "2000000.00"})
    found, _, _ = planning.log.changed(0, 10)
    assert [package["revisi"] for package in found] == [1]
