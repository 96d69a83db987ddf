"""The proxy's handle: who is told to end in the moment of an answer ends."""

import asyncio
from types import SimpleNamespace

from proof.gateway import Gateway
from tests.services import wait_until_async


class Ears:
    def write(self, line):
        pass

    async def drain(self):
        pass


async def test_a_cancellation_that_meets_the_answer_is_not_lost():
    gateway, answers = Gateway("127.0.0.1", 1), asyncio.StreamReader()
    gateway._process = SimpleNamespace(stdin=Ears(), stdout=answers)

    async def looks_for_ever():
        await gateway.hits()
        await asyncio.Event().wait()

    looking = asyncio.create_task(looks_for_ever())
    await wait_until_async(lambda: answers._waiter is not None, what="it waits for the answer")
    answers.feed_data(b"{}\n")
    await asyncio.sleep(0)
    looking.cancel()
    ended, _ = await asyncio.wait({looking}, timeout=1.0)
    assert ended == {looking}
