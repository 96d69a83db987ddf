"""F50: one key has most of the messages: it waits for itself alone, and the other keys go past it."""

import pytest
import pytest_asyncio

from tests.processes.events import budget_line
from tests.processes.receiver import receiving
from tests.processes.running import until

from .standing import standing

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOT = 9_999
"""The number of the hot key; the others have the smaller ones."""

PORTION = 5_000
"""Events of one request."""

BACKLOG = 600.0
"""Seconds within which the whole of the large one is gone, on any machine."""


@pytest_asyncio.fixture(loop_scope="module")
async def receiver():
    async with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory):
    async with standing(tmp_path_factory.mktemp("f50")) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "hot", "others"),
    [
        ("small", 5_000, 1_000),
        pytest.param("large", 100_000, HOT, marks=[pytest.mark.prove, pytest.mark.timeout(1_200)]),
    ],
)
async def test_a_hot_key_keeps_no_other_waiting(hub, receiver, name, hot, others):
    destination = await hub.subscribe(receiver.url)
    await hub.switch("dashboard", "pause")
    # The hot ones first: whatever takes the oldest messages first would serve the others last.
    events = [budget_line(f"{name}-hot-{n}", HOT, f"{n}.00") for n in range(hot)]
    events += [budget_line(f"{name}-other-{n}", n) for n in range(others)]
    for first in range(0, len(events), PORTION):
        await hub.post_all(events[first : first + PORTION])
    assert receiver.received == []
    await hub.switch("dashboard", "resume")

    seen = {"hot": 0, "other": 0}
    order = []

    def look():
        for one in receiver.received[len(order) :]:
            kind, _, number = one.event["id"].removeprefix(f"{name}-").partition("-")
            seen[kind] += 1
            order.append((kind, int(number)))
        receiver_full = len(order)
        return receiver_full and seen["other"] == others

    for _ in range(max(1, others // 1_000)):  # as many times the usual patience
        try:
            await until(look, lambda: seen)
            break
        except AssertionError:
            assert order, "nothing comes"
    assert seen["other"] == others, seen
    last_other = max(place for place, (kind, _) in enumerate(order) if kind == "other")
    before = sum(kind == "hot" for kind, _ in order[:last_other])
    assert before < hot / 2, f"{before} of the {hot} hot ones came before the last of the others"
    # Not starved itself either, and in its order.
    assert seen["hot"] > 0
    hot_ones = [number for kind, number in order if kind == "hot"]
    assert hot_ones == list(range(len(hot_ones)))
    await hub.settled(f"{name}-other-{others - 1}", destination, "delivered")
    print(f"{before} of {hot} hot ones came before the last of {others} others")  # noqa: T201 - the figure
