"""A hub that stands for all tests of a module, and what they ask of it."""

import asyncio
import contextlib
import json
from datetime import datetime

from bus.contract.clock import system_clock
from bus.engine import registry
from bus.engine.database import open_database
from tests.processes.running import Hub, until

NDJSON = "application/x-ndjson"


class Standing:
    """A running hub, with the key of a poster that also sees and decides, and one of a system that subscribes."""

    def __init__(self, hub, key, subscriber):
        self.hub, self.key, self.subscriber = hub, key, subscriber

    async def subscribe(self, url, **more):
        """Answers the name of the destination."""
        made = await self.hub.subscribe(self.subscriber, url, **more)
        return f"sub:{made['id']}"

    async def post(self, event):
        return await self.hub.post(self.key, event)

    async def post_all(self, events):
        """Many in one request; each of them is taken."""
        lines = b"\n".join(json.dumps(event).encode() for event in events)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": NDJSON}
        async with self.hub.session.post(f"{self.hub.url}/v1/messages", headers=headers, data=lines) as answer:
            results = await answer.json()
        assert {one["status"] for one in results} == {"accepted"}, results[:3]

    async def story(self, id):
        return await self.hub.call("GET", f"/v1/messages/{id}?source=e-budgeting", self.key)

    async def delivery(self, id, destination):
        """The one delivery of a message to ``destination``."""
        (found,) = [one for one in (await self.story(id))["deliveries"] if one["destination"] == destination]
        return found

    async def settled(self, id, destination, state):
        """Wait for that delivery to be in ``state``, and answer it."""
        seen = {}

        async def look():
            seen.update(await self.delivery(id, destination))
            return seen["state"] == state

        await until(look, lambda: f"{id} to be {state} and not {seen}")
        return seen

    async def states(self):
        """State of each message's deliveries by the poster's id: ``{"a": {"delivered": 1}}``."""
        found, cursor = {}, ""
        while True:
            page = await self.hub.call("GET", f"/v1/messages?limit=500{cursor}", self.key)
            found |= {one["id"]: one["deliveries"] for one in page["items"]}
            if not page.get("next"):
                return found
            cursor = f"&cursor={page['next']}"

    async def switch(self, system, act):
        """``pause`` or ``resume``: after the answer to ``pause`` no attempt begins."""
        path = f"/v1/systems/{system}/{act}"
        await self.hub.call("POST", path, self.key, {"reason": "a test"}, status=(200, 204))


@contextlib.asynccontextmanager
async def standing(folder, **environment):
    """Start a hub in ``folder``; it ends with the block."""
    hub = Hub(folder, **environment)
    try:
        await hub.start()
        # Not by ``arus keys create``, for the time that each of its processes takes to start.
        yield Standing(hub, *await asyncio.to_thread(_keys, hub.home / "arus.db"))
    finally:
        await hub.close()


def _keys(store):
    database = open_database(f"sqlite:///{store}")
    with database.writes.begin() as connection:
        made = [
            registry.create_key(connection, system, scopes, agency=None, actor="tests", now=system_clock()).key
            for system, scopes in (("e-budgeting", ["post", "read", "operate"]), ("dashboard", ["read"]))
        ]
    database.close()
    return made


def moment(text):
    """A moment of a story."""
    return datetime.fromisoformat(text)
