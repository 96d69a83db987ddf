"""F36: a source's versions arrive in another order than it made them: the older one is kept and goes nowhere."""

import asyncio
import random
from collections import defaultdict

import pytest
import pytest_asyncio

from tests.processes.events import budget_line, subject
from tests.processes.receiver import receiving
from tests.processes.running import until

from .standing import standing

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver():
    async with receiving() as receiver:
        yield receiver


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory, receiver):
    async with standing(tmp_path_factory.mktemp("f36")) as running:
        running.destination = await running.subscribe(receiver.url)
        yield running


def version(id, record, sequence):
    return budget_line(id, record, f"{sequence}.00", sequence=str(sequence))


async def test_an_older_version_that_comes_later_is_kept_and_delivered_nowhere(hub, receiver):
    assert (await hub.post(version("two", 1, 2)))["status"] == "accepted"
    assert (await hub.post(version("one", 1, 1)))["status"] == "accepted"
    assert (await hub.post(version("three", 1, 3)))["status"] == "accepted"
    await hub.settled("three", hub.destination, "delivered")
    told = await hub.story("one")
    assert told["stale"]
    assert told["canonical"]["amount"] == "1.00"
    assert told["posted_sequence"] == "1"
    assert {one["destination"] for one in told["deliveries"]} >= {hub.destination}
    assert {(one["state"], one["tries"]) for one in told["deliveries"]} == {("superseded", 0)}
    assert [id for id in receiver.ids if id in {"one", "two", "three"}] == ["two", "three"]
    record = await hub.hub.call("GET", f"/v1/records/budget.line/{subject(1)}", hub.key)
    assert record["data"]["amount"] == "3.00"


async def test_an_older_version_is_superseded_while_the_newer_one_still_waits(hub, receiver):
    receiver.free.clear()
    try:
        await hub.post(version("waits-2", 2, 2))
        await until(lambda: "waits-2" in receiver.ids, hub.hub.said)
        await hub.post(version("waits-1", 2, 1))
        assert (await hub.delivery("waits-1", hub.destination))["state"] == "superseded"
    finally:
        receiver.free.set()
    await hub.settled("waits-2", hub.destination, "delivered")
    assert "waits-1" not in receiver.ids


async def test_a_gap_that_is_never_filled_holds_nothing(hub, receiver):
    for sequence in (1, 5, 1_000_000):
        await hub.post(version(f"gap-{sequence}", 3, sequence))
    await hub.settled("gap-1000000", hub.destination, "delivered")
    arrived = [one for one in receiver.received if one.event["id"].startswith("gap-")]
    assert [one.event["id"] for one in arrived] == ["gap-1", "gap-5", "gap-1000000"]
    # What destinations count by is the hub's own sequence, and that has no gap.
    own = [int(one.event["sequence"]) for one in arrived]
    assert own == list(range(own[0], own[0] + 3))


async def test_the_same_sequence_again_is_not_older(hub):
    await hub.post(version("equal-a", 4, 7))
    await hub.post(version("equal-b", 4, 7))
    assert not (await hub.story("equal-b"))["stale"]
    await hub.settled("equal-b", hub.destination, "delivered")


async def test_shuffled_by_many_senders_each_record_rises_and_ends_at_its_newest(hub, receiver):
    records, versions = range(100, 120), range(1, 9)
    events = [version(f"s{record}-{sequence}", record, sequence) for record in records for sequence in versions]
    random.Random(36).shuffle(events)
    answers = await asyncio.gather(*(hub.post(event) for event in events))
    assert {answer["status"] for answer in answers} == {"accepted"}
    for record in records:
        await hub.settled(f"s{record}-{versions[-1]}", hub.destination, "delivered")
    stories = await asyncio.gather(*(hub.story(event["id"]) for event in events))
    late = {one["id"] for one in stories if one["stale"]}
    came = defaultdict(list)
    for one in receiver.received:
        if one.event["id"].startswith("s"):
            came[one.event["subject"]].append(one.event)
    assert len(came) == len(records)
    for events_of_one in came.values():
        posted = [int(event["id"].partition("-")[2]) for event in events_of_one]
        assert posted == sorted(posted)
        assert posted[-1] == versions[-1]
        assert [int(one["sequence"]) for one in events_of_one] == sorted(int(one["sequence"]) for one in events_of_one)
    # The accounts close: each is stored, and was either sent once or came too late.
    sent = {event["id"] for events_of_one in came.values() for event in events_of_one}
    assert late, "the shuffle reordered nothing"
    assert sent.isdisjoint(late)
    assert sent | late == {event["id"] for event in events}
