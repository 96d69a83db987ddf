"""Suspects run alone: the gate, the drain that uses it, and attempts that end at their deadline."""

import asyncio

from bus.contract.sink import Delivery
from bus.contract.verdict import Ambiguous
from bus.engine import attempt, controls
from bus.engine.claim import reclaim, start
from bus.engine.gate import Gate
from tests.engine.draining import ScriptedSink
from tests.engine.hub import Hub, incoming
from tests.services import wait_until_async


async def test_many_pass_together_and_one_alone_who_is_not_starved():
    gate, inside, go = Gate(), [], asyncio.Event()

    async def together(name):
        async with gate.together():
            inside.append(name)
            await go.wait()
            inside.remove(name)

    async def alone():
        async with gate.alone():
            assert inside == []
            inside.append("alone")
            await asyncio.sleep(0)
            assert inside == ["alone"]
            inside.remove("alone")

    first = [asyncio.create_task(together(name)) for name in "ab"]
    await wait_until_async(lambda: inside == ["a", "b"])
    waiting = asyncio.create_task(alone())
    await wait_until_async(lambda: gate._wanting_alone == 1)
    late = asyncio.create_task(together("late"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert inside == ["a", "b"], "who comes later waits behind the one who wants to be alone"
    go.set()
    await asyncio.wait_for(asyncio.gather(*first, waiting, late), 10)


async def test_one_who_gave_up_wanting_to_be_alone_holds_nobody():
    gate = Gate()
    async with gate.together():
        waiting = asyncio.create_task(gate.alone().__aenter__())
        await wait_until_async(lambda: gate._wanting_alone == 1)
        waiting.cancel()
        await asyncio.wait([waiting])
        async with asyncio.timeout(10), gate.together():
            assert gate._together == 2


async def test_after_a_death_what_was_under_way_is_sent_one_by_one(place):
    here = place(ScriptedSink(batch=10, concurrency=4))
    await here.post(*[incoming(f"k{number}") for number in range(4)])
    await asyncio.to_thread(here.hub.claim)
    await asyncio.to_thread(here.hub.do, reclaim, here.hub.clock(), died=True, kinds={})
    here.start()
    await here.states(*["delivered"] * 4)
    assert (here.sink.sizes, here.sink.most) == ([1, 1, 1, 1], 1)
    assert [(row.alone, row.deaths) for row in here.hub.deliveries()] == [(0, 0)] * 4


async def test_an_attempt_and_a_question_end_at_their_deadline():
    sink = ScriptedSink()
    sink.gate.clear()
    message = type("M", (), {"subject": "a", "id": "1"})()
    delivery = Delivery("key", message, 1, 1, None)

    async def never(_delivery):
        await asyncio.Event().wait()

    sink.ask = never
    (verdict,) = await attempt.send(sink, [delivery], 0.01)
    assert isinstance(verdict, Ambiguous)
    assert isinstance(await attempt.ask(sink, delivery, 0.01), Ambiguous)

    async def broken(_delivery):
        raise ZeroDivisionError

    sink.ask = broken
    answer = await attempt.ask(sink, delivery, 0.01)
    assert (answer.reason, answer.at) == ("the sink failed when asked: ZeroDivisionError", "hub")


def test_a_circuit_is_open_where_any_living_worker_keeps_away(store):
    hub = Hub(store)
    hub.do(controls.sign, "A", hub.clock(), 0, circuits={"x": False, "y": True})
    hub.do(controls.sign, "B", hub.clock(), 0, circuits={"x": True, "y": False, "z": False})
    hub.do(controls.sign, "dead", hub.clock() - 10_000_000, 0, circuits={"z": True})
    assert hub.do(controls.circuits, hub.clock()) == {"x": True, "y": True, "z": False}


def test_a_start_alone_is_marked_so_that_a_death_names_it(store):
    hub = Hub(store)
    hub.post("k")
    (lane,) = hub.claim()
    hub.do(start, [(lane, lane.deliveries[0].seq)], hub.clock(), owner="w", alone=True)
    assert hub.the("k").alone == 2
