"""The destination: one effect per idempotency key, everything on disk before it answers, misbehaviour by seed."""

import aiohttp
import orjson
import pytest

from mappings.canonical.budget_line import BudgetLine
from proof.destination import Mood
from proof.load import Load
from proof.receiver import Receiver
from tests.services import wait_until_async

LOAD = Load(BudgetLine.EXAMPLE, BudgetLine.KEY, messages=20, keys=1, seed=1)


class Caller:
    """Sends as the hub does, and reads the log as the checker does."""

    def __init__(self, session, url, journal):
        self.session, self.url, self.journal = session, url, journal

    async def send(self, n, key=None, content_type="application/cloudevents+json", **changed):
        posting = LOAD.posting(0, n)
        event = {**orjson.loads(posting.body), "subject": posting.key, "sequence": str(n), **changed}
        headers = {"Content-Type": content_type, "Idempotency-Key": key or f"key-{n}"}
        async with self.session.post(self.url, data=orjson.dumps(event), headers=headers) as answer:
            return answer.status

    def log(self):
        return [orjson.loads(line) for line in self.journal.read_bytes().splitlines()]


@pytest.fixture
async def start(tmp_path):
    """``await start(mood)`` gives a caller of a new destination; ``applied`` asks the first for its progress."""
    opened = []

    async def one(mood=None):
        receiver = Receiver(tmp_path / f"dest-{len(opened)}.jsonl", mood or Mood())
        await receiver.__aenter__()
        session = aiohttp.ClientSession()
        opened.append((receiver, session))
        caller = Caller(session, receiver.url, tmp_path / f"dest-{len(opened) - 1}.jsonl")
        caller.applied = receiver.applied
        return caller

    yield one
    for receiver, session in opened:
        await session.close()
        await receiver.__aexit__(None, None, None)


async def test_one_key_has_one_effect_and_every_attempt_is_logged(start):
    caller = await start()
    assert [await caller.send(1), await caller.send(1), await caller.send(2)] == [200, 200, 200]
    assert [(line["n"], line["attempt"], line["effect"]) for line in caller.log()] == [
        (1, 1, "applied"),
        (1, 2, "duplicate"),
        (2, 1, "applied"),
    ]
    first, posting = caller.log()[0], LOAD.posting(0, 1)
    assert (first["id"], first["key"], first["sha"]) == (posting.id, posting.key, posting.sha)
    assert (first["sequence"], first["idempotency_key"], first["answer"]) == (1, "key-1", "200")
    assert await caller.applied() == 2


async def test_another_key_for_the_same_message_is_another_effect(start):
    caller = await start()
    await caller.send(1)
    await caller.send(1, key="another")
    assert [line["effect"] for line in caller.log()] == ["applied", "applied"]


async def test_what_is_no_event_of_a_load_is_refused_and_logged(start):
    caller = await start()
    assert await caller.send(1, sequence="first") == 400
    assert await caller.send(1, content_type="text/plain") == 415
    assert ["malformed" in line for line in caller.log()] == [True, True]
    assert await caller.applied() == 0


async def test_refusals_have_no_effect_and_ask_to_come_again(start):
    for mood, status in ((Mood(unavailable=1.0), 503), (Mood(busy=1.0), 429)):
        caller = await start(mood)
        assert await caller.send(1) == status
        assert [(line["effect"], line["answer"]) for line in caller.log()] == [("none", str(status))]


@pytest.mark.parametrize("mood", [Mood(reset=1.0), Mood(hang=1.0, hang_seconds=0.01)])
async def test_a_cut_connection_had_its_effect(start, mood):
    caller = await start(mood)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.send(1)
    await wait_until_async(caller.log)
    assert [line["effect"] for line in caller.log()] == ["applied"]


async def test_a_stubborn_destination_gives_in_after_its_tries(start):
    caller = await start(Mood(stubborn=1.0, stubborn_tries=5))
    assert [await caller.send(1) for _ in range(6)] == [429] * 5 + [200]
    assert [line["attempt"] for line in caller.log()] == [1, 2, 3, 4, 5, 6]


def test_whims_come_from_the_seed_in_the_shares_asked_for():
    mood = Mood(seed=1, unavailable=0.1, busy=0.1, reset=0.1, hang=0.1, stubborn=0.1, stubborn_tries=1)
    whims = [mood.whim(f"m-{number}", 1) for number in range(5000)]
    assert whims == [mood.whim(f"m-{number}", 1) for number in range(5000)]
    shares = {name: whims.count(name) / 5000 for name in ("stubborn", "unavailable", "busy", "reset", "hang")}
    assert all(0.07 < share < 0.13 for share in shares.values()), shares
    assert Mood().whim("m-1", 1) == "well"
