"""Draining: lanes in order, others beside them, switches obeyed, and nothing kept at the end."""

import asyncio

import pytest

from bus.contract.clock import system_clock
from bus.contract.route import Route
from bus.contract.verdict import Ambiguous, Rejected, RetryLater, Unavailable
from bus.engine import courier, tables
from bus.engine.destination import Destination
from bus.engine.writer import Writer
from tests.engine.draining import QUICK, ScriptedSink
from tests.engine.hub import Hub, incoming
from tests.services import wait_until_async


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
