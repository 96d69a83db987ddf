"""F52: an API key is rotated under load: nothing is lost, and the old one opens nothing any more."""

import asyncio

from tests.processes.events import budget_line
from tests.processes.running import Hub, until

from .town import town

LANES = 20


class Posting:
    """Posts one after the other with the key of the moment; keeps what was answered with which key."""

    def __init__(self, hub, name, key):
        self.hub, self.name, self.key = hub, name, key
        self.answers = []
        self.over = False

    async def run(self):
        number = 0
        while not self.over:
            id, key = f"{self.name}-{number}", self.key
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
            body = budget_line(id, number % LANES)
            async with self.hub.session.post(f"{self.hub.url}/v1/messages", headers=headers, json=body) as answer:
                self.answers.append((id, key, answer.status))
            number += 1

    def statuses(self, key):
        return [status for _, used, status in self.answers if used == key]


async def test_a_key_is_rotated_under_load(tmp_path):
    hub = Hub(tmp_path)
    async with town(hub) as (receiver, _):
        old = (await hub.arus("keys", "create", "e-budgeting", "--scope", "post", "--json")).json
        posters = [Posting(hub, name, old["key"]) for name in ("swift", "late")]
        tasks = [asyncio.create_task(poster.run()) for poster in posters]
        swift, late = posters
        await until(lambda: all(len(one.answers) > 20 for one in posters), "load")
        new = await hub.key(scope="post")
        swift.key = new
        await until(lambda: len(swift.statuses(new)) > 20, "the swift one uses the new key")
        await hub.arus("keys", "revoke", old["id"])
        seen = len(late.answers) + 1  # one may have been on its way
        await until(lambda: len(late.answers) > seen + 20, "the late one goes on with the old key")
        refused = len(late.answers)
        late.key = new
        await until(lambda: late.statuses(new)[20:], "the late one has heard of the new key")
        for poster in posters:
            poster.over = True
        await asyncio.gather(*tasks)
        assert {status for _, _, status in late.answers[seen:refused]} == {401}, "a revoked key still opens"
        assert set(swift.statuses(old["key"]) + swift.statuses(new) + late.statuses(new)) == {202}
        accepted = [id for poster in posters for id, _, status in poster.answers if status == 202]
        await until(lambda: set(accepted) <= set(receiver.ids), hub.said)
        assert set(receiver.ids) == set(accepted)
        assert len({one.key for one in receiver.received}) == len(accepted)
