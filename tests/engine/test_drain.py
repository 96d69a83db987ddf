"""Draining: lanes in order, others beside them, switches obeyed, and nothing kept at the end."""

import asyncio
import contextlib
from collections import defaultdict

import pytest

from bus.contract.clock import system_clock
from bus.contract.route import Retry, Route
from bus.contract.verdict import Ambiguous, Deferred, Delivered, Rejected, RetryLater, Unavailable
from bus.engine import controls, courier, destination, drain, registry, tables
from bus.engine.claim import start
from bus.engine.destination import Circuit, Destination
from bus.engine.drain import Drain
from bus.engine.writer import StoreUnavailable, Writer
from tests.engine.hub import Hub, incoming
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


@pytest.fixture
async def place(store):
    places = []

    def make(sink=None, **route):
        places.append(Place(store, sink or ScriptedSink(), **route))
        return places[-1]

    yield make
    for made in places:
        made.sink.gate.set()
        await made.stop()


async def test_what_is_accepted_is_delivered_and_the_bell_spares_the_wait(place):
    here = place()
    here.start()
    await here.post(incoming("a"), incoming("b"), incoming("a"))
    await here.states("delivered", "delivered", "delivered")
    assert sorted(here.sink.sent) == [("a", 1), ("a", 2), ("b", 1)]


async def test_a_lane_keeps_its_order_through_failures_and_other_lanes_go_on(place):
    here = place()
    here.sink.script["a"] = [Unavailable("closed"), RetryLater("busy"), Ambiguous("no answer"), ValueError("broken")]
    await here.post(*[incoming(name) for name in "aaabbb"])
    here.start()
    await here.states(*["delivered"] * 6)
    assert [number for name, number in here.sink.sent if name == "a"] == [1, 1, 1, 1, 1, 2, 3]
    assert [number for name, number in here.sink.sent if name == "b"] == [1, 2, 3]
    assert all(len(keys) == 1 for keys in here.sink.keys.values()), "one key for all attempts"


async def test_bulk_destinations_answer_row_by_row(place):
    here = place(ScriptedSink(batch=10, concurrency=2))
    here.sink.script |= {"b": [Rejected("no")], "c": [RetryLater("busy")]}
    await here.post(*[incoming(name) for name in "abcd"])
    here.start()
    await here.states("delivered", "dead", "delivered", "delivered")
    assert here.sink.sizes == [4, 1]


async def test_no_more_sends_run_at_once_than_the_sink_allows(place):
    here = place(ScriptedSink(batch=4, concurrency=2))
    here.sink.gate.clear()
    await here.post(incoming("first"))
    here.start()
    await wait_until_async(lambda: here.sink.now == 1)
    await here.post(*[incoming(f"k{number}") for number in range(12)])
    await wait_until_async(lambda: here.destination.lanes_in_hand == 8)
    await wait_until_async(lambda: here.sink.now == 2)
    here.sink.gate.set()
    await here.states(*["delivered"] * 13)
    assert here.sink.most == 2


async def test_a_mapping_that_fails_makes_dead_at_the_mapping_and_is_not_retried(place):
    here = place()
    route = Route("line", "budget.line", "e-project", encode=lambda data: data["absent"], retry=QUICK)
    here.hub.routing.routes["line"] = route
    here.start()
    await here.post(incoming("a", data={"nik": "3578"}))
    await here.states("dead")
    (attempt,) = here.hub.rows(tables.attempts)
    assert (attempt.at, attempt.outcome) == ("mapping", "rejected")
    assert "line failed: KeyError" in here.hub.the("a").reason
    assert here.sink.sent == []


async def test_a_sink_that_answers_too_little_is_ambiguous_not_delivered(place, monkeypatch):
    here = place(ScriptedSink(kind="blind"))

    async def send(_deliveries):
        return []

    monkeypatch.setattr(here.sink, "send", send)
    here.start()
    await here.post(incoming("a"))
    await here.states("parked")
    assert here.hub.the("a").parked == "ambiguous"


async def test_after_everyone_knows_of_a_pause_no_attempt_starts_until_resumed(place):
    here = place()
    here.start()
    await here.post(incoming("before"))
    await here.states("delivered")
    await here.switch(at=system_clock())
    await here.post(*[incoming(f"k{number}") for number in range(5)])
    await here.drain._round()
    assert here.sink.sent == [("before", 1)]
    assert here.hub.states() == ["delivered", *["pending"] * 5]
    await here.switch(at=None)
    await here.states(*["delivered"] * 6)


async def test_a_pause_in_the_middle_of_a_lane_gives_the_rest_back(place):
    here = place()
    here.sink.gate.clear()
    await here.post(*[incoming("a") for _ in range(3)])
    here.start()
    await wait_until_async(lambda: here.sink.now == 1)
    await here.switch(at=system_clock())
    here.sink.gate.set()
    await here.states("delivered", "pending", "pending")
    assert [row.attempts for row in here.hub.deliveries()] == [1, 0, 0]


async def test_stopping_waits_for_the_attempt_under_way_and_gives_the_rest_back(place):
    here = place()
    here.sink.gate.clear()
    await here.post(*[incoming("a") for _ in range(3)])
    here.start()
    await wait_until_async(lambda: here.sink.now == 1)
    here.task.cancel()
    await asyncio.sleep(0)
    here.sink.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await here.task
    assert here.hub.states() == ["delivered", "pending", "pending"]
    assert here.hub.lane("a").owner is None
    assert here.destination.lanes_in_hand == 0


async def test_no_attempt_starts_when_the_lease_leaves_too_little_time(store):
    hub = Hub(store)
    sink = ScriptedSink()
    writer = Writer(store.writes)
    carrying = courier.Courier(
        hub.routing, hub.settler, writer, hub.clock, owner="worker", deadline=30, may_start=lambda _: True
    )
    hub.post("k")
    (lane,) = hub.claim(lease=60)
    hub.clock.forward(31)
    await carrying.carry(Destination("e-project", "e-project", sink), [lane])
    assert sink.sent == []
    assert hub.states() == ["pending"]
    (lane,) = hub.claim(lease=60)
    hub.clock.forward(30)
    await carrying.carry(Destination("e-project", "e-project", sink), [lane])
    assert sink.sent == [("k", 1)]
    writer.close()


async def test_a_start_is_committed_before_a_blind_destination_is_sent_to(place, monkeypatch):
    here = place(ScriptedSink(kind="blind"))
    seen = []
    send = here.sink.send

    async def watched(deliveries):
        seen.append([row.delivery for row in here.hub.rows(tables.starts)])
        return await send(deliveries)

    monkeypatch.setattr(here.sink, "send", watched)
    here.start()
    await here.post(incoming("a"))
    await here.states("delivered")
    assert seen == [[here.hub.the("a").seq]]
    assert here.hub.count(tables.starts) == 0


@pytest.mark.parametrize(
    ("kind", "answers", "asked", "sent", "state"),
    [
        ("keyed", [], 0, 1, "delivered"),
        ("queryable", [Delivered()], 1, 0, "delivered"),
        ("queryable", [Unavailable("closed"), Delivered()], 2, 0, "delivered"),
        ("queryable", [None], 1, 1, "delivered"),
        ("blind", [], 0, 0, "parked"),
    ],
)
async def test_an_attempt_whose_end_nobody_saw_is_repeated_asked_or_parked(place, kind, answers, asked, sent, state):
    here = place(ScriptedSink(kind=kind))
    here.sink.script["ask a"] = list(answers)
    here.hub.post("a")
    (lane,) = here.hub.claim(lease=0)
    here.hub.do(start, [(lane, lane.deliveries[0].seq)], system_clock(), owner="dead", alone=False)
    here.start()
    await here.states(state)
    assert (len(here.sink.asked), len(here.sink.sent)) == (asked, sent)


@pytest.mark.parametrize("kind", ["keyed", "queryable", "blind"])
async def test_a_deferred_delivery_is_asked_for_until_it_is_told(place, kind):
    here = place(ScriptedSink(kind=kind))
    here.sink.script["a"] = [Deferred("t7", 0.001)]
    here.sink.script["ask a"] = [Unavailable("closed"), Deferred("t8", 0.001), Ambiguous("?"), Delivered()]
    here.start()
    await here.post(incoming("a"))
    await here.states("delivered")
    assert here.sink.asked == [("a", "t7"), ("a", "t7"), ("a", "t8"), ("a", "t8")]
    assert here.sink.sent == [("a", 1)]


async def test_a_store_that_cannot_take_the_report_does_not_shrink_the_room(place, monkeypatch):
    here = place()

    async def carry(*_):
        raise StoreUnavailable("disk is full")

    await here.drain.look()
    await here.post(incoming("a"))
    monkeypatch.setattr(here.drain.courier, "carry", carry)
    await here.drain._round()
    await wait_until_async(lambda: not here.drain._carrying)
    assert here.destination.lanes_in_hand == 0


def test_the_circuit_opens_rests_longer_each_time_and_closes_at_the_first_answer(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(destination.time, "monotonic", lambda: now[0])
    circuit = Circuit()
    for _ in range(destination.OPENING - 1):
        circuit.missed()
    assert (circuit.open, circuit.room(8)) == (False, 8)
    for _ in range(5):
        circuit.missed()  # what was under way together counts once
    assert (circuit.open, circuit.room(8), circuit.rest) == (True, 0, 2.0)
    rests = []
    for _ in range(8):
        now[0] = circuit.closed_again_at
        assert circuit.room(8) == 1
        circuit.missed()
        rests.append(circuit.closed_again_at - now[0])
    assert rests == [2, 4, 8, 16, 30, 30, 30, 30]
    circuit.found()
    assert (circuit.open, circuit.room(8), circuit.rest) == (False, 8, 1.0)


def test_while_the_circuit_is_open_one_lane_tries(monkeypatch):
    here = Destination("e-project", "e-project", ScriptedSink())
    here.circuit.failures = destination.OPENING
    assert here.circuit.room(here.width) == 1
    here.lanes_in_hand = 1
    assert here.circuit.room(here.width) == 0


async def test_a_destination_that_was_away_is_found_again_and_loses_nothing(place, monkeypatch):
    monkeypatch.setattr(destination, "FIRST_REST", 0.01)
    monkeypatch.setattr(destination, "LONGEST_REST", 0.02)
    here = place()
    for number in range(8):
        here.sink.script[f"k{number}"] = [Unavailable("closed")] * 3
    await here.post(*[incoming(f"k{number}") for number in range(8)])
    here.destination.circuit.rest = 0.01
    here.start()
    await wait_until_async(lambda: here.destination.circuit.open, what="the circuit opens")
    await here.states(*["delivered"] * 8)
    assert not here.destination.circuit.open
    assert drain.SWEEP < 1
