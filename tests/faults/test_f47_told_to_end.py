"""F47: a front that gets SIGTERM first says that it is not ready, still takes what comes, and closes its door last."""

import http.client
import json
import os
import signal
import socket
from urllib.parse import urlsplit

import pytest

from bus.contract.clock import system_clock
from bus.engine import registry
from bus.engine.database import open_database
from tests.processes.events import budget_line
from tests.processes.running import Hub, until

LEAVE = 3
"""Seconds: what the test asks meanwhile takes a small part of it."""


@pytest.fixture
async def hub(tmp_path):
    running = Hub(tmp_path, ARUS_LEAVE_SECONDS=str(LEAVE))
    try:
        await running.start()
        yield running
    finally:
        await running.close()


@pytest.fixture
def key(hub):
    database = open_database(f"sqlite:///{hub.home / 'arus.db'}")
    try:
        with database.writes.begin() as connection:
            made = registry.create_key(
                connection, "e-budgeting", ["post"], agency=None, actor="test", now=system_clock()
            )
    finally:
        database.close()
    return made.key


class Caller:
    """One connection, kept as long as the front keeps it."""

    def __init__(self, hub, key):
        self._connection = http.client.HTTPConnection(urlsplit(hub.url).netloc, timeout=30)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def post(self, id):
        """Answers (status, whether the connection ends with this answer)."""
        self._connection.request("POST", "/v1/messages", json.dumps(budget_line(id)), self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, answer.will_close

    def ready(self):
        self._connection.request("GET", "/readyz")
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read()).get("detail", "")


async def test_f47_nobody_who_asks_meanwhile_is_cut_off(hub, key):
    def says_so():
        with Caller(hub, key) as one:
            return one.ready() == (503, "this process is about to end: ask another")

    with Caller(hub, key) as kept, Caller(hub, key) as new:
        assert kept.post("before") == (202, False)
        os.killpg(hub.process.pid, signal.SIGTERM)  # as systemd does: the front hears it twice
        await until(says_so, hub.said)
        assert kept.post("over a kept connection") == (202, True)
        assert new.post("over a new one") == (202, True)
    assert await hub.ended() == 0
    address = urlsplit(hub.url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port), timeout=5)
    assert "Traceback" not in hub.said()
