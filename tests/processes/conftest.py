"""Hubs and subscribers that end with the test."""

import contextlib

import pytest

from .receiver import Receiver
from .running import Hub


@pytest.fixture
async def make_hub(tmp_path):
    async with contextlib.AsyncExitStack() as stack:

        def make(**environment):
            hub = Hub(tmp_path, **environment)
            stack.push_async_callback(hub.close)
            return hub

        yield make


@pytest.fixture
async def hub(make_hub):
    """A hub that is ready, in an empty home."""
    running = make_hub()
    await running.start()
    return running


@pytest.fixture
async def make_receiver():
    async with contextlib.AsyncExitStack() as stack:

        async def make():
            receiver = Receiver()
            await receiver.start()
            stack.push_async_callback(receiver.close)
            return receiver

        yield make


@pytest.fixture
async def receiver(make_receiver):
    return await make_receiver()
