"""A destination's pace: so many requests a second and no more, order kept, nothing spun; by a clock moved by hand."""

import pytest

from bus.contract.verdict import Unavailable
from bus.engine import controls
from bus.engine.pace import Pace
from tests.engine.draining import ScriptedSink
from tests.engine.hub import incoming
from tests.services import wait_until_async


class Seconds:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_second_of_the_rate_goes_at_once_and_then_one_at_a_time():
    clock = Seconds()
    pace = Pace(4.0, clock)
    assert [pace.take() for _ in range(5)] == [True] * 4 + [False]
    clock.now += 0.2
    assert (pace.room(9), pace.take()) == (0, False)
    clock.now += 0.05
    assert (pace.room(9), pace.take(), pace.take()) == (1, True, False)
    clock.now += 3600  # a rest is not caught up
    assert pace.room(9) == 4


def test_a_slow_rate_still_lets_one_through():
    clock = Seconds()
    pace = Pace(0.1, clock)
    assert (pace.take(), pace.take()) == (True, False)
    clock.now += 9.9
    assert not pace.take()
    clock.now += 0.2
    assert pace.take()


def test_without_a_rate_nothing_waits():
    pace = Pace(None, Seconds())
    assert all(pace.take() for _ in range(1000))
    assert pace.room(64) == 64


def test_a_clock_that_goes_back_gives_nothing():
    clock = Seconds()
    pace = Pace(1.0, clock)
    assert pace.take()
    clock.now -= 100
    assert not pace.take()


def test_of_several_workers_each_takes_its_part():
    clock = Seconds()
    pace = Pace(8.0, clock)
    pace.share(4)
    assert [pace.take() for _ in range(3)] == [True, True, False]
    clock.now += 1
    assert pace.room(9) == 2
    pace.share(1)
    assert pace.room(9) == 2, "what was no longer its own is not given back at once"
    clock.now += 1
    assert pace.room(9) == 8


def test_a_part_of_less_than_one_still_lets_one_through():
    clock = Seconds()
    pace = Pace(1.0, clock)
    pace.share(4)
    assert (pace.take(), pace.take()) == (True, False)
    clock.now += 3.9
    assert not pace.take()
    clock.now += 0.2
    assert pace.take()


@pytest.fixture
def paced(place):
    """A place with so many requests a second, and the clock of its pace."""

    def make(rate, **sink):
        clock = Seconds()
        here = place(ScriptedSink(**sink))
        here.destination.pace = Pace(rate, clock)
        return here, clock

    return make


async def test_a_worker_sends_no_faster_and_each_record_in_its_order(paced):
    here, clock = paced(2.0)
    for _ in range(2):
        await here.post(*[incoming(f"k{number}") for number in range(3)])
    sizes = []
    for _ in range(4):
        assert not await here.drain.visit("e-project", 5)
        sizes.append(len(here.sink.sent))
        clock.now += 1
    assert sizes == [2, 4, 6, 6]
    for number in range(3):
        assert [sequence for subject, sequence in here.sink.sent if subject == f"k{number}"] == [1, 2]
    assert {(row.state, row.attempts) for row in here.hub.deliveries()} == {("delivered", 1)}


async def test_retries_are_requests_too(paced):
    here, clock = paced(1.0)
    here.sink.script["k"] = [Unavailable("closed")]
    await here.post(incoming("k"))
    await here.drain.visit("e-project", 5)
    assert len(here.sink.sent) == 1
    assert here.destination.room == 0
    clock.now += 1
    assert here.destination.room > 0


async def test_a_bulk_request_counts_once(paced):
    here, _clock = paced(1.0, batch=10, concurrency=1)
    await here.post(*[incoming(f"k{number}") for number in range(10)])
    await here.drain.visit("e-project", 5)
    assert here.sink.sizes == [10]


async def test_the_rate_is_shared_with_the_other_workers_that_live(paced):
    here, clock = paced(4.0)
    here.hub.do(controls.sign, "another", here.hub.clock(), 0)
    await here.drain.look()
    assert here.destination.pace.room(9) == 2
    here.hub.do(controls.sign_off, "another")

    async def all_is_its_own():
        await here.drain.look()
        clock.now += 1
        return here.destination.pace.room(9) == 4

    await wait_until_async(all_is_its_own, what="its next sign of life tells it")
