"""F40: bodies at their limit and far beyond it: refused before they are kept, so that the front's memory is bounded."""

import asyncio
import contextlib
import json
from pathlib import Path

import pytest
import pytest_asyncio

from tests.processes.events import budget_line

from .standing import NDJSON, standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

MB = 2**20
LIMIT = MB
BULK = 2 * MB
STRUCTURED = "application/cloudevents+json"

SENDERS = 8
"""Hostile bodies at once."""

ROOM = 24 * MB
"""By which the front may grow meanwhile; what is sent to it is ten times as much and more."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory):
    limits = {"ARUS_MAX_BODY": str(LIMIT), "ARUS_MAX_BULK": str(BULK)}
    async with standing(tmp_path_factory.mktemp("f40"), **limits) as running:
        yield running


def padded(event, size):
    """The event as JSON of exactly ``size`` bytes; JSON allows the spaces."""
    return json.dumps(event).encode().ljust(size)


def memory(hub):
    """(resident now, the most it ever was) of the front, in bytes."""
    lines = Path(f"/proc/{hub.hub.children()['front']}/status").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return found["VmRSS"], found["VmHWM"]


async def post(hub, body, kind=STRUCTURED):
    headers = {"Authorization": f"Bearer {hub.key}", "Content-Type": kind}
    async with hub.hub.session.post(f"{hub.hub.url}/v1/messages", headers=headers, data=body) as answer:
        return answer.status, await answer.json(content_type=None)


class Sender:
    """A caller that obeys nobody: it writes on until it is cut off or its ``most`` bytes are sent."""

    def __init__(self, hub, *lines, kind=STRUCTURED):
        self.host, self.port = hub.hub.url.removeprefix("http://").rstrip("/").split(":")
        head = ["POST /v1/messages HTTP/1.1", f"Host: {self.host}", f"Authorization: Bearer {hub.key}"]
        self.head = "\r\n".join([*head, f"Content-Type: {kind}", *lines, "", ""]).encode()
        self.sent = 0
        self.sent_at_answer = None
        self.status = None

    async def run(self, part=b"", most=0):
        async with asyncio.timeout(60):
            reader, writer = await asyncio.open_connection(self.host, int(self.port))
            writer.write(self.head)
            hearing = asyncio.create_task(self._hear(reader))
            with contextlib.suppress(ConnectionError):
                while self.sent < most:
                    writer.write(part)
                    await writer.drain()
                    self.sent += len(part)
                    await asyncio.sleep(0)  # so that an answer is noticed when it comes
            with contextlib.suppress(ConnectionError):
                await hearing
            writer.close()
            return self

    async def _hear(self, reader):
        line = await reader.readline()
        self.sent_at_answer = self.sent
        self.status = int(line.split()[1]) if line else None


@pytest.mark.parametrize(
    ("kind", "limit"), [(STRUCTURED, LIMIT), ("application/cloudevents-batch+json", LIMIT), (NDJSON, BULK)]
)
async def test_one_byte_decides(hub, kind, limit):
    for size, wanted in ((limit - 1, True), (limit, True), (limit + 1, False)):
        event = budget_line(f"{kind}-{size}", size % 1000)
        status, said = await post(hub, padded([event] if "batch" in kind else event, size), kind)
        if wanted:
            assert (status, said if kind == STRUCTURED else said[0]) in [
                (202, {"id": event["id"], "status": "accepted"}),
                (200, {"index": 0, "id": event["id"], "status": "accepted"}),
            ]
        else:
            assert (status, said["type"].rpartition("/")[2]) == (413, "too-large")
            assert str(limit) in said["detail"]
    stored = (await hub.states()).keys()
    assert {f"{kind}-{limit - 1}", f"{kind}-{limit}"} <= stored
    assert f"{kind}-{limit + 1}" not in stored


async def test_what_says_that_it_is_too_large_is_refused_before_its_body(hub):
    for size in (LIMIT + 1, 40 * MB, 2**30, 10**18):
        sender = await Sender(hub, f"Content-Length: {size}").run()
        assert (sender.status, sender.sent) == (413, 0), size


async def _flood(hub, *lines, part, most):
    """Many at once; answers them, and by how much the front's highest memory rose."""
    await post(hub, padded(budget_line(f"warm-{lines}"), LIMIT))  # what one good body takes is not growth
    before, _ = memory(hub)
    senders = [Sender(hub, *lines) for _ in range(SENDERS)]
    await asyncio.gather(*(sender.run(part, most) for sender in senders))
    resident, highest = memory(hub)
    print(f"front {before // MB} MB before, {resident // MB} MB after, {highest // MB} MB at most")  # noqa: T201
    return senders, highest - before


async def test_forty_megabytes_that_are_sent_whatever_is_answered_are_not_kept(hub):
    senders, growth = await _flood(hub, f"Content-Length: {40 * MB}", part=b" " * 65_536, most=40 * MB)
    assert {sender.status for sender in senders} == {413}
    assert growth < ROOM, growth


async def test_chunks_without_end_are_refused_when_they_pass_the_limit(hub):
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    senders, growth = await _flood(hub, "Transfer-Encoding: chunked", part=chunk, most=64 * MB)
    assert {sender.status for sender in senders} == {413}
    # Answered at the limit: what had been written by then was in the buffers of the two sockets.
    assert all(LIMIT <= sender.sent_at_answer < 32 * MB for sender in senders), [s.sent_at_answer for s in senders]
    assert growth < ROOM, growth


async def test_beside_floods_the_door_is_open(hub):
    flood = [Sender(hub, "Transfer-Encoding: chunked") for _ in range(SENDERS)]
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    flooding = asyncio.gather(*(sender.run(chunk, 32 * MB) for sender in flood))
    assert (await post(hub, json.dumps(budget_line("beside")).encode()))[0] == 202
    await flooding
    assert (await post(hub, json.dumps(budget_line("after")).encode()))[0] == 202
