"""F39: a message ends every worker that makes its target form: it dies of it alone, and the others go on."""

import contextlib
import os
import re
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.e_project.simulator import CLIENT_SECRET, EProject
from tests.connectors.servers import serving
from tests.processes.events import budget_line, subject
from tests.processes.receiver import Receiver
from tests.processes.running import alive, until

from .standing import standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

TESTS = Path(__file__).parents[1]
PLANTED = {
    "PYTHONPATH": os.pathsep.join([str(TESTS / "proof/plants"), str(TESTS / "faults/planted")]),
    "PLANT": "poison",
}
OTHERS = range(1, 31)


class City:
    """A hub whose mapping is poisoned by certain records, e-Project, and a subscriber that gets the same messages."""

    def __init__(self, hub, simulator, receiver):
        self.hub, self.simulator, self.receiver = hub, simulator, receiver
        self.destination = ""

    def deaths(self):
        """Exit codes of the engines that ended since the hub was started last."""
        return [int(code) for code in re.findall(r"engine_process ended \((-?\d+)\)", self.hub.hub.said())]

    async def poisoned(self, kind, first):
        """Post a record of this kind amid others, all due at once; wait until it is dead and the others there."""
        numbers, before = [first + number for number in OTHERS], len(self.deaths())
        events = [budget_line(f"{kind}-{number}", number) for number in numbers]
        events[15]["data"]["description"] = f"poison: {kind}"
        await self.hub.switch("e-project", "pause")
        await self.hub.post_all(events)
        await self.hub.switch("e-project", "resume")
        # Not by its story yet: that makes the form too, and would end the front.
        await until(lambda: len(self.deaths()) == before + 4, self.hub.hub.said)
        told = await self.hub.settled(events[15]["id"], "e-project", "dead")
        for event in events:
            if event is not events[15]:
                await self.hub.settled(event["id"], "e-project", "delivered")
            await self.hub.settled(event["id"], self.destination, "delivered")
        effects = [self.simulator.records["anggaran"].get(subject(number)) for number in numbers]
        assert [number for number, held in zip(numbers, effects, strict=True) if held is None] == [numbers[15]]
        assert set(self.simulator.effects.values()) == {1}
        return told, events[15]["id"], numbers[15]


@contextlib.asynccontextmanager
async def founded(folder, **more):
    simulator, receiver = EProject(), Receiver()
    await receiver.start()
    async with serving(simulator.app()) as server:
        environment = PLANTED | {"ARUS_E_PROJECT__URL": server.url, "ARUS_E_PROJECT__CLIENT_SECRET": CLIENT_SECRET}
        async with standing(folder, **environment, **more) as hub:
            city = City(hub, simulator, receiver)
            city.destination = await hub.subscribe(receiver.url)
            yield city
    await receiver.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city(tmp_path_factory):
    async with founded(tmp_path_factory.mktemp("f39")) as city:
        yield city


@pytest.mark.parametrize(
    ("kind", "first", "code"),
    [("exit", 0, 7), pytest.param("segfault", 100, -11, marks=pytest.mark.prove)],
)
async def test_what_ends_its_worker_is_dead_after_three_deaths_alone_and_the_others_go_on(city, kind, first, code):
    before = len(city.deaths())
    told, id, number = await city.poisoned(kind, first)
    assert told["reason"].startswith("poison")
    # One with others, which counts against none of them, and three alone: the fault hit, and no more often.
    assert city.deaths()[before:] == [code] * 4
    # Whoever looks at it makes the form no further time: the front lives.
    assert told["suspect"]
    assert told["target"] is None
    assert told["target_error"].startswith("not made")
    assert "front_process ended" not in city.hub.hub.said()
    # Dead holds no later version: that goes, and the dead one is superseded.
    await city.hub.post(budget_line(f"{id}-mended", number, "2.00"))
    await city.hub.settled(f"{id}-mended", "e-project", "delivered")
    await city.hub.settled(id, "e-project", "superseded")


async def test_a_mapping_that_runs_out_of_memory_ends_no_worker(city):
    before = city.deaths()
    event = budget_line("memory", 90)
    event["data"]["description"] = "poison: memory"
    await city.hub.post(event)
    told = await city.hub.settled("memory", "e-project", "dead")
    assert "MemoryError" in told["reason"]
    assert told["attempts"][0]["at"] == "mapping"
    assert city.deaths() == before


@pytest.mark.prove
async def test_kills_of_the_whole_hub_count_against_no_message(city):
    receiver, hub = city.receiver, city.hub.hub
    receiver.free.clear()
    await city.hub.post(budget_line("innocent", 95))
    for times in range(1, 6):
        await until(lambda wanted=times: receiver.ids.count("innocent") >= wanted, hub.said)
        children = hub.children()
        hub.process.kill()
        await hub.ended()
        await until(lambda pids=children: not any(alive(pid) for pid in pids.values()), "the children to end")
        if times == 5:
            receiver.free.set()
        await hub.start()
    told = await city.hub.settled("innocent", city.destination, "delivered")
    assert told["reason"] is None
    assert len({one.key for one in receiver.received if one.event["id"] == "innocent"}) == 1


@pytest.mark.prove
async def test_a_mapping_that_never_returns_is_ended_and_dead_and_the_others_go_on(tmp_path):
    async with founded(tmp_path, STILL="4") as city:
        told, _, _ = await city.poisoned("loop", 0)
        assert told["reason"].startswith("poison")
        assert city.deaths() == [1] * 4
        assert "from_canonical" in city.hub.hub.said()  # where it stood
