"""A hub with one poster and one subscriber, for a test that does something to the hub itself."""

import contextlib

from tests.processes.receiver import receiving


@contextlib.asynccontextmanager
async def town(hub):
    """Start ``hub``, which ends with the block; gives the subscriber and the poster's key."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(hub.close)
        receiver = await stack.enter_async_context(receiving())
        await hub.start()
        key = await hub.key()
        await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
        yield receiver, key
