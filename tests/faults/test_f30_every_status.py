"""F30: a subscriber answers each status from 100 to 599: each delivery ends in the state that the table promises."""

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.processes.events import budget_line
from tests.processes.running import until

from .standing import standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLE = Path(__file__).parents[2] / "docs/reference/outcomes.md"
ROW = re.compile(r"\| (\d{3})(?:–(\d{3}))? \| `(\w+)` \| `(\w+)` \|")

PROMISED = {
    status: (verdict, state)
    for first, last, verdict, state in ROW.findall(TABLE.read_text())
    for status in range(int(first), int(last or first) + 1)
} | {409: ("retry_later", "retrying")}  # of a subscriber 409 means that it is still busy with this very delivery
"""Verdict and state of a delivery to a destination that takes keys, as people read them."""

SETTLED = {"delivered", "dead", "retrying"}


class Elsewhere:
    """Where the redirects point to; it only counts who comes."""

    def __init__(self):
        self.visits = 0

    async def visited(self, reader, writer):
        self.visits += 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


class EachStatus:
    """Answers a message with the status that its id is. Bare TCP: no server framework says all of these."""

    def __init__(self, places):
        self.places = places
        self.asked = {}

    async def answer(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
                status = int(json.loads(await reader.readexactly(length))["id"])
                self.asked[status] = self.asked.get(status, 0) + 1
                writer.write(self._words(status))
                await writer.drain()
                if status < 200:
                    return  # no final answer follows
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _words(self, status):
        lines = [f"HTTP/1.1 {status} Status"]
        if 300 <= status <= 399:
            lines.append(f"Location: {self.places[status % len(self.places)]}")
        if status == 206:
            lines.append("Content-Range: bytes 0-0/9")
        body = "" if status < 200 or status in {204, 304} else "{}"
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", body]).encode()


async def _listen(answer, host="127.0.0.1", port=0):
    server = await asyncio.start_server(answer, host, port)
    return server, f"http://{host}:{server.sockets[0].getsockname()[1]}/"


def _states(found):
    """Without the delivery to e-Project, which waits: there is none."""
    return {state for state, count in found.items() if state != "pending" or count > 1}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def every(tmp_path_factory):
    """What became of 500 messages, one for each status."""
    elsewhere = Elsewhere()
    here, url = await _listen(elsewhere.visited)
    other, other_url = await _listen(elsewhere.visited, "127.0.0.2")
    destination = EachStatus([url, other_url])
    server, hook = await _listen(destination.answer)
    async with here, other, server, standing(tmp_path_factory.mktemp("f30")) as hub:
        name = await hub.subscribe(hook)
        # Seven apart, so that those that say "not in service" are no row of five, which would open the circuit.
        order = [status for first in range(7) for status in range(100 + first, 600, 7)]
        await hub.post_all([budget_line(str(status), status) for status in order])
        await until(lambda: len(destination.asked) == 500, lambda: f"all to be asked; {len(destination.asked)} were")
        await hub.switch("dashboard", "pause")  # what is retrying stands still

        under_way = {}

        async def still():
            under_way.clear()
            under_way.update({id: found for id, found in (await hub.states()).items() if not _states(found) <= SETTLED})
            return not under_way

        await until(still, lambda: f"every attempt to be settled, and not {under_way}")
        assert elsewhere.visits == 0
        # The counter counts: otherwise no visit would be no proof.
        async with aiohttp.ClientSession() as session:
            for place in (url, other_url):
                async with session.get(place) as answer:
                    assert answer.status == 204
        assert elsewhere.visits == 2
        yield hub, name, await hub.states(), destination


async def test_the_table_names_every_status():
    assert PROMISED.keys() == set(range(100, 600))
    assert {state for _, state in PROMISED.values()} == SETTLED


async def test_each_delivery_is_in_the_state_that_the_table_says(every):
    _, _, states, _ = every
    found = {int(id): _states(found) for id, found in states.items()}
    wrong = {status: found[status] for status, (_, state) in PROMISED.items() if found[status] != {state}}
    assert wrong == {}


async def test_each_first_attempt_tells_its_status_and_verdict(every):
    hub, name, _, _ = every
    wrong = {}
    for status, (verdict, _) in PROMISED.items():
        first = (await hub.delivery(str(status), name))["attempts"][0]
        # Of an informational answer nothing is left to tell: what counts is that no final one came.
        known = {status, None} if status < 200 else {status}
        if first["outcome"] != verdict or first["status"] not in known:
            wrong[status] = (first["outcome"], first["status"])
    assert wrong == {}


async def test_what_is_final_was_asked_once_and_no_redirect_was_followed(every):
    _, _, _, destination = every
    final = [status for status, (_, state) in PROMISED.items() if state in {"delivered", "dead"}]
    assert {destination.asked[status] for status in final} == {1}
    assert {status for status in final if 300 <= status <= 399} == set(range(300, 400))


async def test_of_a_redirect_the_story_says_what_to_do(every):
    hub, name, _, _ = every
    for status in (301, 302, 303, 307, 308):
        told = await hub.delivery(str(status), name)
        assert "redirects are never followed" in told["reason"]
        assert "127.0.0" not in told["reason"]
