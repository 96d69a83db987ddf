"""F38: the wall clock jumps: by an hour, by ten years, to 1970, forward and back, under load."""

import contextlib
import itertools

import pytest

from tests.processes.events import budget_line
from tests.processes.receiver import Receiver
from tests.processes.running import Hub, until

from .clocks import HOUR, YEARS, Clock, since_1970

LANES = 5


class Town:
    """A hub that lives by a clock of ours, and a subscriber."""

    def __init__(self, folder, stack):
        self.clock = Clock(folder)
        self.hub, self.receiver = Hub(folder, **self.clock.environment), Receiver()
        stack.push_async_callback(self.hub.close)
        stack.push_async_callback(self.receiver.close)
        self.numbers = itertools.count()
        self.posted = []

    async def start(self):
        await self.receiver.start()
        await self.hub.start()
        self.key = await self.hub.key()
        await self.hub.subscribe(await self.hub.key("dashboard", "read"), self.receiver.url)

    async def post(self, count=2 * LANES):
        """Post to every lane; answers the ids."""
        ids = []
        for number in itertools.islice(self.numbers, count):
            id = f"m{number:03d}"
            assert (await self.hub.post(self.key, budget_line(id, number % LANES)))["status"] == "accepted"
            ids.append(id)
        self.posted += ids
        return ids

    def times(self, ids):
        """How often each arrived."""
        return [self.receiver.ids.count(id) for id in ids]

    async def have_arrived(self, ids):
        await until(lambda: set(ids) <= set(self.receiver.ids), lambda: (self.receiver.ids, self.hub.said()))

    async def jumped(self, by):
        """Turn the clock; wait until the hub has noticed, so the fault hit."""
        told = self.hub.said().count("arus: the clock jumped by")
        self.clock.turn(by)
        await until(lambda: self.hub.said().count("arus: the clock jumped by") > told, self.hub.said)

    async def all_delivered(self):
        async def settled():
            seen = [await self.hub.call("GET", f"/v1/messages/{id}", self.key) for id in self.posted[-4 * LANES :]]
            ours = [one for story in seen for one in story["deliveries"] if one["destination"].startswith("sub:")]
            return {one["state"] for one in ours} == {"delivered"}

        await until(lambda: set(self.posted) <= set(self.receiver.ids), lambda: (self.receiver.ids, self.hub.said()))
        await until(settled, self.hub.said)

    def order_is_kept(self):
        first = list(dict.fromkeys(self.receiver.ids))
        for lane in range(LANES):
            mine = [id for id in first if int(id[1:]) % LANES == lane]
            assert mine == sorted(mine), mine


@pytest.fixture
async def town(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        made = Town(tmp_path, stack)
        await made.start()
        yield made


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_no_jump_loses_doubles_or_holds_anything(town):
    for where in (HOUR, 0, YEARS, since_1970(), 0):
        # Some are under way when it happens, unanswered; behind each of them one waits.
        town.receiver.free.clear()
        sent = await town.post()
        await town.have_arrived(sent[:LANES])
        await town.jumped(where)
        during = await town.post()
        town.receiver.free.set()
        await town.all_delivered()
        assert town.times(sent + during) == [1] * 4 * LANES, "a lease of the living ended"
        # Others wait for their time.
        town.receiver.answers = [503] * LANES
        waiting = await town.post(LANES)
        await until(lambda: not town.receiver.answers, town.hub.said)
        await town.jumped(where + 5 * HOUR)
        await town.jumped(where)
        await town.all_delivered()
        assert max(town.times(waiting)) <= 5, "a storm of retries"
    town.order_is_kept()
    assert len({one.key for one in town.receiver.received}) == len(town.posted)
    assert "Traceback" not in town.hub.said()


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_a_clock_set_back_while_the_hub_stood_still_holds_nothing(town):
    town.clock.turn(YEARS)
    await town.hub.stop()
    await town.hub.start()
    town.receiver.answers = [503] * 100
    ids = await town.post()
    await until(lambda: len(town.receiver.answers) <= 100 - LANES, town.hub.said)
    await town.hub.stop()
    town.clock.turn(0)
    town.receiver.answers = []
    await town.hub.start()
    await town.all_delivered()
    assert max(town.times(ids)) <= 10
    town.order_is_kept()
