"""Private hubs to measure: a store with a poster's key and one subscriber, and the processes over it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bus.engine import registry, subscribing
from bus.entrypoints import deeds
from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import Hub, open_hub

from .load import SYSTEM, TYPE
from .processes import ARUS, free_port, python

SUBSCRIBER = "bench-target"
WORKERS = APIS = 2


@dataclass(frozen=True, slots=True)
class PrivateHub:
    """Embedded, or distributed where the URLs of a database and a broker are given (both or none)."""

    home: Path
    database_url: str | None = None
    broker_url: str | None = None
    max_backlog: int = 1_000_000

    def open(self) -> Hub:
        """Its store, in this process."""
        broker = None if self.broker_url is None else SecretStr(self.broker_url)
        return open_hub(Settings(home=self.home, database_url=self.database_url, broker_url=broker))

    def prepare(self, hook: str) -> str:
        """Subscribe ``hook`` to what the load posts; answers a key that may post and look at everything."""
        hub = self.open()
        now = hub.clock()
        scopes = ["post", "operate"]
        key = hub.writer.call(lambda c: registry.create_key(c, SYSTEM, scopes, agency=None, actor="bench", now=now))
        hub.writer.call(lambda c: registry.register(c, SUBSCRIBER, title="bench", agency=None, external=True, now=now))
        hub.writer.call(
            lambda c: subscribing.subscribe(
                c, SUBSCRIBER, hook, [TYPE], secret=None, start="now", actor="bench", now=now
            )
        )
        hub.close()
        return key.key

    def pause(self) -> None:
        """Stop deliveries; on return none starts any more."""
        hub = self.open()
        deeds.pause(hub, SUBSCRIBER, actor="bench", reason="measured while stopped")
        hub.close()

    def resume(self) -> None:
        hub = self.open()
        deeds.resume(hub, SUBSCRIBER, actor="bench", reason="measured")
        hub.close()

    @contextlib.contextmanager
    def running(self) -> Iterator[tuple[str, ...]]:
        """Its processes, as the commands that a user starts; gives the addresses that take messages."""
        with contextlib.ExitStack() as stack:
            apis = tuple(stack.enter_context(self._api()) for _ in range(APIS if self.broker_url else 1))
            if self.broker_url:
                for words in [("worker",)] * WORKERS + [("worker", "--sweep")]:
                    stack.enter_context(python([*ARUS, *words], self.home, self._environment()))
            yield apis

    @contextlib.contextmanager
    def _api(self) -> Iterator[str]:
        url = f"http://127.0.0.1:{(port := free_port())}"
        with python([*ARUS, "serve", "--port", str(port)], self.home, self._environment(), f"{url}/readyz"):
            yield url

    def _environment(self) -> dict[str, str]:
        places = {"ARUS_DATABASE_URL": self.database_url, "ARUS_BROKER_URL": self.broker_url}
        given = {name: value for name, value in places.items() if value is not None}
        return {**given, "ARUS_HOME": str(self.home.absolute()), "ARUS_MAX_BACKLOG": str(self.max_backlog)}
