"""F27: a destination that hangs on every call: its neighbour gets its deliveries about as fast as before."""

import contextlib
import time

import pytest

from tests.distributed.fleet import Fleet, line
from tests.distributed.receiver import Receiver as ThreadedReceiver
from tests.processes.events import budget_line
from tests.processes.receiver import Receiver
from tests.processes.running import until
from tests.services import wait_until

from .standing import standing

MESSAGES = 1_500
LANES = 300
LEAST = 0.5
"""Of the rate before, at least: a bound for busy machines. A neighbour that costs something costs far more."""


def ids_of(run):
    return [f"{run}-{number}" for number in range(MESSAGES)]


async def test_f27_it_costs_its_neighbour_nothing_in_the_embedded_mode(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        healthy, slow = Receiver(), Receiver()
        for receiver in (healthy, slow):
            await receiver.start()
            stack.push_async_callback(receiver.close)
        hub = await stack.enter_async_context(standing(tmp_path))
        await hub.subscribe(healthy.url)
        await hub.subscribe(slow.url)

        async def rate(run):
            """Messages a second that the healthy one gets."""
            wanted, already, began = ids_of(run), len(healthy.received), time.monotonic()
            await hub.post_all([budget_line(id, number % LANES) for number, id in enumerate(wanted)])
            await until(lambda: len(healthy.received) >= already + MESSAGES, hub.hub.said)
            took = time.monotonic() - began
            assert sorted(one.event["id"] for one in healthy.received[already:]) == sorted(wanted)
            return MESSAGES / took

        await rate("warm")
        await until(lambda: len(slow.received) >= MESSAGES, hub.hub.said)
        before = await rate("before")
        await until(lambda: len(slow.received) >= 2 * MESSAGES, hub.hub.said)
        slow.free.clear()
        beside = await rate("beside")
        assert 0 < len(slow.received) - 2 * MESSAGES < MESSAGES, "the neighbour was called, and hung"
        assert beside >= LEAST * before, (beside, before)
        assert (await hub.states())["beside-0"].get("delivered") == 1
        slow.free.set()
        await until(lambda: len(slow.received) >= 3 * MESSAGES, hub.hub.said)


@pytest.fixture
def fleet(tmp_path, postgres_database, rabbitmq_url):
    with contextlib.closing(Fleet(tmp_path, postgres_database, rabbitmq_url)) as running:
        yield running


@pytest.fixture
def receivers():
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(ThreadedReceiver())) for _ in range(2)]


@pytest.mark.prove
@pytest.mark.timeout(400)
def test_f27_it_costs_its_neighbour_nothing_in_the_distributed_mode(fleet, receivers):
    healthy, slow = receivers
    key = fleet.sign_up(("dashboard", healthy.url), ("archive", slow.url))
    api, workers, _ = fleet.api(), [fleet.worker(), fleet.worker()], fleet.sweeper()
    fleet.ready(*workers)
    wait_until(api.ready, timeout=60, what="the API is ready")

    def rate(run):
        wanted, already, began = ids_of(run), len(healthy.received), time.monotonic()
        api.bulk(key, [line(id, number % LANES) for number, id in enumerate(wanted)])
        wait_until(lambda: len(healthy.received) >= already + MESSAGES, timeout=120, what="the healthy one has all")
        took = time.monotonic() - began
        assert sorted(healthy.ids[already:]) == sorted(wanted)
        return MESSAGES / took

    def slow_has(count):
        wait_until(lambda: len(set(slow.ids)) >= count, timeout=120, what="its neighbour has all")

    rate("warm")
    slow_has(MESSAGES)
    before = rate("before")
    slow_has(2 * MESSAGES)
    slow.free.clear()
    beside = rate("beside")
    assert 0 < len(set(slow.ids)) - 2 * MESSAGES < MESSAGES, "the neighbour was called, and hung"
    assert beside >= LEAST * before, (beside, before)
    # Once it answers again, it gets the rest.
    slow.free.set()
    slow_has(3 * MESSAGES)
