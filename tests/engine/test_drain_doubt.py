"""Attempts whose end nobody saw, questions asked later, and reports that the store could not take."""

import pytest

from bus.contract.clock import system_clock
from bus.contract.verdict import Ambiguous, Deferred, Delivered, Unavailable
from bus.engine import tables
from bus.engine.claim import start
from bus.engine.writer import StoreUnavailable
from tests.engine.draining import ScriptedSink
from tests.engine.hub import incoming
from tests.services import wait_until_async


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
