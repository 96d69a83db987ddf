"""A hub's front on a free port, and a client that shows exactly what was answered."""

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn
from sqlalchemy import func, select

from bus.engine import registry
from bus.engine.tables import messages
from bus.entrypoints.api.app import create_app
from bus.entrypoints.wiring import Hub
from tests.services.waiting import wait_until

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"

MARKER = "3578012345678901"
"""Looks like a NIK: no answer may repeat it."""

AGENCY = "1.03.0.00.0.00.01.0000"
OTHER_AGENCY = "1.02.0.00.0.00.02.0000"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def slug(self) -> str:
        """Name the problem, which must be in the form that every error has."""
        assert self.headers["content-type"] == "application/problem+json", self
        document = self.json
        assert document["status"] == self.status
        assert document["title"]
        return document["type"].rsplit("/", 1)[1]


class Front:
    """The front of ``hub``, served as in production (httptools), in a thread."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.app = create_app(hub)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, http="httptools", access_log=False, log_level="critical", lifespan="on")
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self.listener]))

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self._server.started, what="the front answers")

    def stop(self, *, gracefully: bool = False) -> None:
        """End it; ``gracefully`` as a supervisor would, else at once."""
        self._server.should_exit = True
        self._server.force_exit = not gracefully
        self._thread.join(10)
        self.listener.close()

    def key(self, system: str, scopes: str = "post,read", agency: str | None = None) -> str:
        made = self.hub.writer.call(
            lambda connection: registry.create_key(
                connection, system, scopes.split(","), agency=agency, actor="test", now=self.hub.clock()
            )
        )
        return made.key

    def call(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            sent = {"Authorization": f"Bearer {key}"} if key else {}
            sent.update(headers or {})
            connection.request(method, path, body.encode() if isinstance(body, str) else body, sent)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())

    def get(self, path: str, key: str | None = None, **headers: str) -> Answer:
        return self.call("GET", path, key=key, headers=headers)

    def post(self, path: str, document: Any, key: str | None = None) -> Answer:
        return self.call("POST", path, json.dumps(document), key=key, headers={"Content-Type": "application/json"})

    def event(self, event: Any, key: str | None, content_type: str = STRUCTURED) -> Answer:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.call("POST", "/v1/messages", body, key=key, headers={"Content-Type": content_type})

    def raw(self, content: bytes) -> bytes:
        """Send bytes as they are and give all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(content)
            received = b""
            with contextlib.suppress(TimeoutError):
                while part := connection.recv(65536):
                    received += part
            return received


@contextlib.contextmanager
def serving(hub: Hub) -> Iterator[Front]:
    front = Front(hub)
    front.start()
    try:
        yield front
    finally:
        front.stop()


def line(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A budget line; ``number`` makes another record."""
    data = {
        "fiscal_year": 2026,
        "agency": AGENCY,
        "activity": "1.03.10.2.01.0029",
        "account": f"5.1.02.01.01.{number:04d}",
        "amount": "1250000000.00",
    }
    return {name: value for name, value in {**data, **changed}.items() if value is not None}


def event(id: str = "1", number: int = 1, data: Any = None, **changed: Any) -> dict[str, Any]:
    """An event of e-budgeting; an attribute that is given as None is left out."""
    made = {
        "specversion": "1.0",
        "id": id,
        "source": "/systems/e-budgeting",
        "type": "id.go.surabaya.budget.line.v1",
        "data": line(number) if data is None else data,
    }
    return {name: value for name, value in {**made, **changed}.items() if value is not None}


def line_subject(number: int) -> str:
    """Give the key of ``line(number)``."""
    return f"2026:{AGENCY}:1.03.10.2.01.0029:5.1.02.01.01.{number:04d}"


def make(front: Front, key: str, count: int = 1) -> None:
    """Post events 1 to ``count``, each of another record."""
    for number in range(1, count + 1):
        assert front.event(event(str(number), number=number), key).status == 202


def stored(front: Front) -> int:
    """Count the messages that are kept."""
    with front.hub.database.reads.connect() as connection:
        return connection.execute(select(func.count()).select_from(messages)).scalar_one()
