"""F32: a destination says 200 and means something else: nothing counts as delivered that it did not take."""

import asyncio
import gzip
import re
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.e_procurement.envelopes import envelope, fault
from connectors.e_procurement.simulator import PASSWORD, Spse
from connectors.e_project.simulator import CLIENT_SECRET, EProject
from connectors.kit.http import HttpClient
from connectors.kit.simulation import LOGIN_PAGE
from mappings.canonical import Package
from tests.connectors.servers import serving
from tests.processes.events import budget_line, subject
from tests.processes.running import until

from .lying import DESYNC_SECONDS, Liar, answer
from .standing import standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

MB = 2**20
XML = "text/xml; charset=utf-8"
GOOD = b'{"status": "ok", "revisi": 1}'
UTF8_BROKEN = b'{"status": "ok", "revisi": 1, "pesan": "disimpan \xff\xfe"}'

BOMB = gzip.compress(b" " * (512 * MB), 1)
"""Half a gigabyte in half a megabyte and somewhat more."""

ROOM = 64 * MB
"""By which the engine may grow over a bomb and a body of any length."""


def _saved(status, key=None):
    """A lie: the row of a save, with the request's own key unless told otherwise."""

    def lie(body):
        own = re.search(rb"idempotencyKey>([^<]+)<", body)[1].decode()
        said = {"idempotencyKey": key or own, "status": status, "pesan": "kata server"}
        return answer(envelope("SimpanPaketResponse", said), XML)

    return lie


def _spoiled(old, new):
    """A lie: a good answer, spoiled."""

    def lie(body):
        whole = _saved("OK")(body).partition(b"\r\n\r\n")[2]
        assert old in whole
        return answer(whole.replace(old, new), XML)

    return lie


def _cut(body):
    whole = _saved("OK")(body).partition(b"\r\n\r\n")[2]
    return answer(whole[: len(whole) // 2], XML)


def _length(change):
    """A lie: a good answer that says a wrong length of itself."""

    def lie(body):
        whole = _saved("OK")(body).partition(b"\r\n\r\n")[2]
        return answer(whole, XML, length=len(whole) + change)

    return lie


REST = {
    "error-in-the-body": (answer(b'{"kode": "GAGAL", "pesan": "basis data penuh"}'), "ambiguous"),
    "another-word-than-ok": (answer(b'{"status": "gagal", "revisi": 1}'), "ambiguous"),
    "log-in-page": (answer(LOGIN_PAGE.encode(), "text/html"), "ambiguous"),
    "json-cut-off": (answer(GOOD[:-4]), "ambiguous"),
    "longer-than-it-is": (answer(GOOD, length=len(GOOD) + 50), "ambiguous"),
    "shorter-than-it-is": (answer(GOOD, length=len(GOOD) - 5), "ambiguous"),
    "not-the-charset-it-says": (answer(UTF8_BROKEN, "application/json; charset=utf-8"), "ambiguous"),
    "gzip-bomb": (answer(BOMB, "application/json", "Content-Encoding: gzip"), "ambiguous"),
    "gzip-bomb-unsaid": (answer(BOMB), "ambiguous"),
    "of-any-length": (answer(GOOD[:-1] + b" " * 48 * MB + b"}"), "ambiguous"),
}
"""What e-Project is made to say, and the verdict that its README declares for it."""

SOAP = {
    "refused-in-the-body": (_saved("DITOLAK"), "rejected"),
    "failed-in-the-body": (_saved("GAGAL"), "retry_later"),
    "unknown-word": (_saved("LUMAYAN"), "ambiguous"),
    "key-of-another": (_saved("OK", "kunci-lain"), "ambiguous"),
    "server-fault-in-200": (answer(fault("Server", "sibuk"), XML), "retry_later"),
    "vendor-fault-in-200": (answer(fault("SPSE-17", "sibuk"), XML), "ambiguous"),
    "client-fault-in-200": (answer(fault("Client", "salah"), XML), "rejected"),
    "log-in-page": (answer(LOGIN_PAGE.encode(), "text/html"), "ambiguous"),
    "log-in-page-as-xml": (answer(LOGIN_PAGE.encode(), XML), "ambiguous"),
    "xml-cut-off": (_cut, "ambiguous"),
    "longer-than-it-is": (_length(50), "ambiguous"),
    "shorter-than-it-is": (_length(-10), "ambiguous"),
    "not-the-charset-it-says": (_spoiled(b"kata server", b"kata \xe9\xff"), "ambiguous"),
    "gzip-bomb": (answer(BOMB, XML, "Content-Encoding: gzip"), "ambiguous"),
    "gzip-bomb-unsaid": (answer(BOMB, XML), "ambiguous"),
}
"""What e-Procurement is made to say, and the verdict that its README declares for it."""


TOLD_BESIDE = {"another-word-than-ok", "json-cut-off", "gzip-bomb-unsaid", "vendor-fault-in-200", "unknown-word"}
TOLD_BESIDE |= {"log-in-page-as-xml", "xml-cut-off"}
"""Lies of which the tests of the sinks tell the verdict too: through a whole hub in the full proof alone."""


def _lies(table, first):
    return [
        pytest.param(number, name, marks=[pytest.mark.prove] if name in TOLD_BESIDE else [])
        for number, name in enumerate(table, start=first)
    ]


class City:
    def __init__(self, hub, liars, simulators, planner):
        self.hub, self.planner = hub, planner
        self.rest, self.soap = liars
        self.e_project, self.spse = simulators

    def most_memory(self):
        """The most that the engine has ever had resident, in bytes."""
        status = Path(f"/proc/{self.hub.hub.children()['engine']}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024

    async def first(self, id, destination):
        """Wait for an attempt; answers the first of them."""

        async def look():
            tried = (await self.hub.delivery(id, destination))["attempts"]
            return tried[0] if tried else None

        return await until(look, self.hub.hub.said)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(tmp_path_factory):
    e_project, spse = EProject(), Spse()
    async with serving(e_project.app()) as rest, serving(spse.app()) as soap:
        liars = Liar(rest.url), Liar(soap.url)
        for liar in liars:
            await liar.start()
        environment = {
            "ARUS_E_PROJECT__URL": liars[0].url,
            "ARUS_E_PROJECT__CLIENT_SECRET": CLIENT_SECRET,
            "ARUS_E_PROCUREMENT__URL": f"{liars[1].url}/soap",
            "ARUS_E_PROCUREMENT__PASSWORD": PASSWORD,
        }
        # Read no feeds: e-Project would plan packages of its own, and each lie is for one alone.
        environment["ARUS_POLL_SECONDS"] = "3600"
        async with standing(tmp_path_factory.mktemp("f32"), **environment) as hub:
            planner = await hub.hub.key("e-project", "post,read")
            # One honest delivery each, so that what both sinks need at all is in the engine's memory.
            await hub.post(budget_line("honest", 900))
            await hub.settled("honest", "e-project", "delivered")
            yield City(hub, liars, (e_project, spse), planner)
        for liar in liars:
            await liar.close()


@pytest.mark.parametrize(("number", "name"), _lies(REST, 100))
async def test_e_project_that_lies_is_not_believed_and_gets_it_once(city, number, name):
    lie, verdict = REST[name]
    activity = subject(number).split(":")[2]
    before = city.most_memory()
    city.rest.lies[activity] = lie
    await city.hub.post(budget_line(f"rest-{name}", number))
    first = await city.first(f"rest-{name}", "e-project")
    assert city.rest.told[-1] == activity, "the lie was not told"
    assert (first["outcome"], first["status"]) in {(verdict, 200), (verdict, None)}
    told = await city.hub.settled(f"rest-{name}", "e-project", "delivered")
    assert len(told["attempts"]) >= 2
    assert city.e_project.effects[told["id"]] == 1
    assert city.most_memory() - before < ROOM


async def test_a_connection_on_which_something_came_unasked_is_not_used_again():
    async def two_for_one(reader, writer):
        for said in (b'"first"', b'"unasked"'):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(said))
            await writer.drain()
            await asyncio.sleep(DESYNC_SECONDS)  # the fault itself: it comes on a connection that is kept by now
            writer.write(answer(b'"too early"'))

    server, client = await asyncio.start_server(two_for_one, "127.0.0.1", 0), HttpClient()
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert (await client.request("GET", url, deadline=5)).json() == "first"
        await asyncio.sleep(6 * DESYNC_SECONDS)  # likewise: it is there before the second request
        assert (await client.request("GET", url, deadline=5)).json() == "first"
        await client.close()


async def test_an_answer_that_comes_before_its_request_is_not_taken_for_it(city):
    """What a wrong Content-Length leaves on a kept connection looks like the answer to the next request."""
    city.rest.lies[subject(200).split(":")[2]] = answer(GOOD)
    city.rest.afterwards[subject(200).split(":")[2]] = answer(b'{"status": "ok", "revisi": 1}')
    await city.hub.post(budget_line("desync-first", 200))
    await city.hub.settled("desync-first", "e-project", "delivered")  # it said so, in its own form
    for number in range(201, 212):  # more than there are kept connections
        await city.hub.post(budget_line(f"desync-{number}", number))
        told = await city.hub.settled(f"desync-{number}", "e-project", "delivered")
        assert city.e_project.effects[told["id"]] == 1, f"{number} is marked delivered, and is not there"


@pytest.mark.parametrize(("number", "name"), _lies(SOAP, 300))
async def test_e_procurement_that_lies_is_not_believed_and_gets_it_once(city, number, name):
    lie, verdict = SOAP[name]
    line = budget_line(f"line-of-{name}", number)
    await city.hub.post(line)
    code = f"PKT-F32-{number:06d}"
    data = Package.EXAMPLE | {"code": code, "activity": line["data"]["activity"]}
    event = line | {"id": f"soap-{name}", "source": "/systems/e-project"}
    event |= {"type": "id.go.surabaya.project.package.v1", "data": data}
    before = city.most_memory()
    city.soap.lies[code] = lie
    await city.hub.hub.post(city.planner, event)

    async def delivery():
        story = await city.hub.hub.call("GET", f"/v1/messages/soap-{name}?source=e-project", city.planner)
        (found,) = story["deliveries"]
        return found if found["attempts"] and found["state"] in {"delivered", "dead"} else None

    told = await until(delivery, city.hub.hub.said)
    assert city.soap.told[-1] == code, "the lie was not told"
    assert told["attempts"][0]["outcome"] == verdict, told["attempts"][0]
    assert told["state"] == ("dead" if verdict == "rejected" else "delivered")
    assert city.spse.effects[told["id"]] == (0 if verdict == "rejected" else 1)
    assert city.most_memory() - before < ROOM
