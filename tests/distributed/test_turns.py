"""Visits and taking back without processes: the interleavings that processes meet only by chance."""

import asyncio
import threading

import pytest
from sqlalchemy import text

from bus.contract.route import Route
from bus.contract.verdict import Delivered
from bus.engine import controls, registry
from bus.engine.claim import reclaim
from bus.engine.database import open_database, upgrade
from bus.engine.destination import Destination
from bus.engine.drain import Drain
from bus.engine.writer import Writer
from tests.engine.draining import ScriptedSink
from tests.engine.hub import Hub, incoming
from tests.services import wait_until, wait_until_async


@pytest.fixture
def database(postgres_database):
    upgrade(postgres_database)
    database = open_database(postgres_database)
    yield database
    database.close()


@pytest.fixture
def hub(database):
    return Hub(database, [Route("line", "budget.line", "e-project", encode=dict)])


def take_back(connection, hub, owner):
    """As the sweeper does."""
    now = hub.clock()
    if not controls.bury(connection, owner, now):
        return None
    return reclaim(connection, now, died=True, kinds={}, owner=owner)


def test_what_a_worker_settles_while_it_is_taken_for_dead_stays_settled(hub):
    hub.do(controls.sign, "paused", hub.clock(), 0)
    hub.accept(incoming("a"), incoming("b"))
    first, second = hub.claim(owner="paused")
    hub.clock.forward(20)
    taken = []
    with hub.database.writes.connect() as connection:
        with connection.begin():
            own = Hub(hub.database)
            own.clock, own.settler, own.routing = hub.clock, hub.settler, hub.routing
            own.do = lambda job, *args: job(connection, *args)
            assert own.report(first, Delivered(), owner="paused")
            sweeper = threading.Thread(target=lambda: taken.append(hub.do(take_back, hub, "paused")))
            sweeper.start()
            waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            # Within a transaction the server would answer each look as it answered the first.
            looking = hub.database.reads.execution_options(isolation_level="AUTOCOMMIT")
            with looking.connect() as other:
                wait_until(lambda: other.execute(waiting).scalar(), what="the sweeper waits for the report")
        sweeper.join(10)
    assert taken == [1]
    assert hub.states() == ["delivered", "pending"]
    assert not hub.report(second, Delivered()), "what came after is refused"


def test_a_worker_that_signs_is_not_buried(hub):
    hub.do(controls.sign, "w", hub.clock(), 0)
    hub.post("a")
    hub.claim(owner="w")
    hub.clock.forward(20)
    assert hub.do(lambda connection: controls.dead(connection, hub.clock())) == ["w"]
    hub.do(controls.sign, "w", hub.clock(), 0)
    assert hub.do(take_back, hub, "w") is None
    assert hub.states() == ["delivering"]


class Visited:
    """A drain that is told whom to visit, with a clock moved by hand."""

    def __init__(self, hub, sinks):
        self.hub = hub
        hub.use([Route(f"line-{name}", "budget.line", name, encode=dict) for name in sinks])
        for name in sinks:
            hub.do(registry.register, name, title=name, agency=None, external=False, now=hub.clock())
        self.writer = Writer(hub.database.writes)
        destinations = [Destination(name, name, sink) for name, sink in sinks.items()]
        self.drain = Drain(
            hub.database, self.writer, hub.routing, hub.settler, lambda _: destinations, hub.clock, owner="visitor"
        )  # fmt: skip

    async def close(self):
        await self.drain.stop()
        await asyncio.to_thread(self.writer.close)


@pytest.fixture
async def visited(hub):
    made = []

    def make(**sinks):
        made.append(Visited(hub, {name.replace("_", "-"): sink for name, sink in sinks.items()}))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def test_a_worker_that_was_silent_sends_nothing_of_what_it_had_in_hand(visited):
    sink = ScriptedSink(concurrency=1)
    here = visited(e_project=sink)
    here.hub.accept(*[incoming(name) for name in "aab"])
    sink.gate.clear()
    visit = asyncio.create_task(here.drain.visit("e-project", 30))
    await wait_until_async(lambda: sink.sent, what="the first attempt is under way")
    here.hub.clock.forward(controls.ALIVE)
    await here.drain.look()  # it is heard again, before the interrupted attempt ends
    sink.gate.set()
    await visit
    assert sorted(sink.sent) == [("a", 1), ("a", 2), ("b", 1)]
    fences = here.hub.do(lambda connection: connection.execute(text("SELECT fence FROM lanes")).scalars().all())
    assert fences == [4, 4], "each lane was given back, claimed anew for what had not been begun, and given back"


async def test_nothing_starts_between_a_silence_and_the_next_signature(visited):
    sink = ScriptedSink()
    here = visited(e_project=sink)
    await here.drain.look()
    here.hub.post("a")
    here.hub.clock.forward(controls.ALIVE)
    assert not await here.drain.visit("e-project", 30)
    assert sink.sent == []
    await here.drain.look()
    assert not await here.drain.visit("e-project", 30)
    assert [name for name, _ in sink.sent] == ["a"]


async def test_a_slow_destination_keeps_no_visitor_longer_than_its_patience(visited):
    slow, quick = ScriptedSink(concurrency=1), ScriptedSink()
    here = visited(e_project=slow, e_procurement=quick)
    slow.gate.clear()
    here.hub.accept(*[incoming(f"k{number}") for number in range(10)])
    assert await here.drain.visit("e-project", 0.05), "there is more, once this has ended"
    assert not await here.drain.visit("e-project", 30), "nothing can be begun there: no reason to stay"
    assert not await here.drain.visit("e-procurement", 30)
    assert len(quick.sent) == 10
    assert len(slow.sent) == 1
    slow.gate.set()
    await wait_until_async(lambda: here.hub.states("k0") == ["delivered"] * 2, what="what was begun ends by itself")
    while set(here.hub.states()) != {"delivered"}:  # the sweeper rings as long as something is due
        assert not await here.drain.visit("e-project", 30)
        await asyncio.sleep(0)


async def test_a_lane_that_ended_makes_room_while_another_hangs(visited):
    """Lanes longer than one claim go on although the slowest lane of the visit has not ended."""

    class OneHangs(ScriptedSink):
        async def send(self, deliveries):
            if deliveries[0].message.subject == "slow":
                await self.gate.wait()
            self.sent += [(one.message.subject, one.sequence) for one in deliveries]
            return [Delivered() for _ in deliveries]

    sink = OneHangs(concurrency=2)
    here = visited(e_project=sink)
    sink.gate.clear()
    here.hub.accept(incoming("slow"), *[incoming("long") for _ in range(40)])
    visit = asyncio.create_task(here.drain.visit("e-project", 30))
    await wait_until_async(lambda: len(sink.sent) == 40, what="the long lane is through")
    assert [number for _, number in sink.sent] == list(range(1, 41))
    sink.gate.set()
    assert not await visit
    assert sink.sent[-1] == ("slow", 1)


async def test_a_second_ring_at_the_same_place_is_heard_by_the_first_visitor(visited):
    sink = ScriptedSink()
    here = visited(e_project=sink)
    sink.gate.clear()
    here.hub.post("a")
    visit = asyncio.create_task(here.drain.visit("e-project", 30))
    await wait_until_async(lambda: sink.sent, what="the first is under way")
    here.hub.post("b")
    assert not await here.drain.visit("e-project", 30)
    await wait_until_async(lambda: len(sink.sent) == 2, what="the second goes beside it")
    sink.gate.set()
    assert not await visit
