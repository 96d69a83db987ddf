"""F18: the disk of the store is full: refusals say so, what was accepted stays and arrives, nothing is restarted."""

import json

import pytest

from tests.processes.events import budget_line
from tests.processes.receiver import Receiver
from tests.processes.running import Hub, until

from .small_disk import MEBIBYTE, small_disk

LEFT = 3 * MEBIBYTE
"""Room for some dozens of posts: less than SQLite's log takes before it starts from its beginning."""

pytestmark = pytest.mark.timeout(120)


async def refused(hub, key, event):
    """Post it; None where it was accepted, else the refusal with its headers."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
    async with hub.session.post(f"{hub.url}/v1/messages", headers=headers, data=json.dumps(event)) as answer:
        if answer.status == 202:
            return None
        assert answer.content_type == "application/problem+json", await answer.text()
        return await answer.json(), answer.headers


async def readiness(hub):
    async with hub.session.get(f"{hub.url}/readyz") as answer:
        return answer.status, await answer.json()


async def test_a_full_disk_is_told_and_nothing_accepted_is_lost(tmp_path):
    hub, receiver = Hub(tmp_path), Receiver()
    with small_disk(tmp_path / "disk.img", tmp_path / "home") as disk:
        try:
            await hub.start()
            await receiver.start()
            await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
            key = await hub.key()
            receiver.free.clear()
            await hub.post(key, budget_line("under-way"))
            await until(lambda: receiver.received, hub.said)
            before = hub.children()

            accepted = ["under-way"]
            disk.fill(leave=LEFT)
            for number in range(2, 2000):
                if await refused(hub, key, budget_line(f"m{number}", number)) is not None:
                    break
                accepted.append(f"m{number}")
            assert 10 < len(accepted) < 1500, "the disk was never full, or at once"
            disk.fill()
            receiver.free.set()  # what was under way now ends, and cannot be settled

            for number in range(2000, 2020):
                problem, headers = await refused(hub, key, budget_line(f"m{number}", number))
                assert (problem["status"], problem["type"].rpartition("/")[2]) == (503, "disk-full")
                assert "disk" in problem["detail"]
                assert "room" in problem["detail"]
                assert int(headers["Retry-After"]) >= 1
            status, problem = await readiness(hub)
            assert (status, problem["type"].rpartition("/")[2]) == (503, "not-ready")
            assert "disk" in problem["detail"]
            stored = await hub.call("GET", f"/v1/messages/{accepted[-1]}?source=e-budgeting", key)
            assert stored["id"] == accepted[-1]

            disk.make_room()
            await until(hub.ready, hub.said)
            assert await refused(hub, key, budget_line("m2000", 2000)) is None
            accepted.append("m2000")
            await until(lambda: set(receiver.ids) >= set(accepted), hub.said)
            assert sorted(set(receiver.ids)) == sorted(accepted), "something refused was delivered"
            await until(lambda: settled(hub, key, "under-way"), hub.said)
            assert hub.children() == before, "a process was started again"
            assert receiver.ids.count("under-way") == 1, "it was sent again although its end was known"
            assert "ended" not in hub.said()
        finally:
            await hub.close()
            await receiver.close()


async def settled(hub, key, id):
    story = await hub.call("GET", f"/v1/messages/{id}?source=e-budgeting", key)
    return all(one["state"] == "delivered" for one in story["deliveries"] if one["destination"].startswith("sub:"))
