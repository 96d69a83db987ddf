"""A running drain over one store and a sink that says what it is told to."""

import asyncio
import contextlib
from collections import defaultdict

from bus.contract.clock import system_clock
from bus.contract.route import Retry, Route
from bus.contract.verdict import Delivered
from bus.engine import controls, registry
from bus.engine.destination import Destination
from bus.engine.drain import Drain
from bus.engine.writer import Writer
from tests.engine.hub import Hub
from tests.services import wait_until_async

QUICK = Retry(attempts=4, first=0.005, longest=0.02)


class ScriptedSink:
    """Answers what the script says for a subject, one word after the other; then ``Delivered``."""

    def __init__(self, kind="keyed", batch=1, concurrency=4):
        self.kind, self.batch, self.concurrency = kind, batch, concurrency
        self.script = defaultdict(list)
        self.sent, self.asked, self.keys = [], [], defaultdict(set)
        self.sizes, self.now, self.most = [], 0, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, deliveries):
        self.sizes.append(len(deliveries))
        self.sent += [(one.message.subject, one.sequence) for one in deliveries]
        for one in deliveries:
            self.keys[one.message.id].add(one.key)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.gate.wait()
        finally:
            self.now -= 1
        return [self._next(one.message.subject) for one in deliveries]

    async def ask(self, delivery):
        self.asked.append((delivery.message.subject, delivery.token))
        return self._next(f"ask {delivery.message.subject}")

    def _next(self, name):
        words = self.script[name]
        answer = words.pop(0) if words else None if name.startswith("ask") else Delivered()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self):
        """Nothing is held open."""


class Place:
    """A running drain over one store and one sink."""

    def __init__(self, store, sink, **route):
        self.sink = sink
        self.hub = Hub(store, [Route("line", "budget.line", "e-project", encode=dict, retry=QUICK, **route)])
        self.hub.clock = system_clock
        self.hub.use(self.hub.routing.routes.values())
        self.hub.do(registry.register, "e-project", title="e", agency=None, external=False, now=system_clock())
        self.writer = Writer(store.writes)
        self.destination = Destination("e-project", "e-project", sink)
        self.drain = Drain(
            store,
            self.writer,
            self.hub.routing,
            self.hub.settler,
            lambda _connection: [self.destination],
            system_clock,
            owner="worker",
        )
        self.task = None

    def start(self):
        self.task = asyncio.create_task(self.drain.run())

    async def stop(self):
        if self.task is not None:
            self.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task
        await asyncio.to_thread(self.writer.close)

    async def post(self, *items):
        await asyncio.to_thread(self.hub.accept, *items)
        self.drain.ring()

    async def states(self, *expected):
        await wait_until_async(lambda: self.hub.states() == list(expected), what=f"{expected}")

    async def switch(self, *, at):
        number = await asyncio.to_thread(self.hub.do, controls.set_paused, "e-project", at=at, reason="test")
        await wait_until_async(lambda: not self.hub.do(controls.behind, number, system_clock()), what="all know")
