"""From a post or a dropped file to a subscriber, through a hub of real processes."""

import json
import os
import signal

import aiohttp

from .events import budget_line, rka, subject
from .running import alive, until

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cw=="


async def subscribed(hub, receiver, **more):
    """Subscribe a system that is not the poster; answers the poster's key."""
    await hub.subscribe(await hub.key("dashboard", "read"), receiver.url, **more)
    return await hub.key()


async def delivery(hub, key, id, state):
    """Wait for the delivery of a message to its subscription to be in ``state``; answers the delivery."""

    async def look():
        story = await hub.call("GET", f"/v1/messages/{id}?source=e-budgeting", key)
        found = [one for one in story["deliveries"] if one["destination"].startswith("sub:")]
        return next((one for one in found if one["state"] == state), None)

    return await until(look, f"the delivery of {id} to be {state}")


async def test_an_event_arrives_as_it_was_posted_signed_and_once_in_effect(hub, receiver):
    key = await subscribed(hub, receiver, secret=SECRET)
    receiver.answers = [503]
    written = "2026-03-01T08:00:00.5+07:00"
    accepted = await hub.post(key, budget_line("first", time=written))
    assert accepted["status"] == "accepted"
    await until(lambda: len(receiver.received) == 2, hub.said)
    assert (await hub.post(key, budget_line("first", time=written)))["status"] == "duplicate"
    await hub.post(key, budget_line("second", amount="1.00"))
    await until(lambda: len(receiver.received) == 3, hub.said)
    refused, again, second = receiver.received
    assert refused.body == again.body
    assert refused.key == again.key != second.key
    for one in receiver.received:
        assert one.headers["Content-Type"] == "application/cloudevents+json"
        assert one.headers["webhook-id"] == one.key
        assert one.signed_with(SECRET)
        assert not one.signed_with("whsec_" + "YW5vdGhlciBzZWNyZXQ=")
    event = again.event
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "time")} == {
        "specversion": "1.0",
        "id": "first",
        "source": "/systems/e-budgeting",
        "type": "id.go.surabaya.budget.line.v1",
        "time": written,
    }
    assert event["subject"] == subject(1)
    assert event["data"]["amount"] == "1250000000.00"
    assert int(second.event["sequence"]) > int(event["sequence"])
    await delivery(hub, key, "first", "delivered")
    await delivery(hub, key, "second", "delivered")
    assert len(receiver.received) == 3


async def test_nothing_arrives_from_the_answer_to_pause_until_resume(hub, receiver, make_receiver):
    witness = await make_receiver()
    key = await subscribed(hub, receiver)
    operator = await hub.key("control-room", "operate,read")
    await hub.subscribe(operator, witness.url)
    await hub.post(key, budget_line("before"))
    await until(lambda: receiver.ids == ["before"], hub.said)

    done = await hub.arus("pause", "dashboard", "--reason", "maintenance", "--json")
    assert done.json == {"system": "dashboard", "paused": True}
    for number in range(5):
        await hub.post(key, budget_line(f"during-{number}", number))
    # The witness has them all: the engine has gone past those that are held.
    await until(lambda: len(witness.received) == 6, hub.said)
    assert receiver.ids == ["before"]

    await hub.call("POST", "/v1/systems/dashboard/resume", operator, {"reason": "done"}, status=(200, 204))
    await until(lambda: len(receiver.received) == 6, hub.said)
    assert sorted(receiver.ids) == ["before", *(f"during-{number}" for number in range(5))]


async def test_sigterm_lets_the_attempt_under_way_end(hub, receiver):
    key = await subscribed(hub, receiver)
    receiver.free.clear()
    await hub.post(key, budget_line("slow"))
    await until(lambda: receiver.received, hub.said)
    hub.process.terminate()
    await until(lambda: "front" not in hub.children(), "the front to end")
    assert "engine" in hub.children()
    receiver.free.set()
    assert await hub.ended() == 0
    await hub.start()
    told = await delivery(hub, key, "slow", "delivered")
    assert len(told["attempts"]) == len(receiver.received) == 1
    assert "took back" not in hub.said()


async def test_what_was_under_way_at_a_sigkill_is_sent_again_with_its_key(hub, receiver):
    key = await subscribed(hub, receiver)
    receiver.free.clear()
    await hub.post(key, budget_line("cut"))
    await until(lambda: receiver.received, hub.said)
    children = hub.children()
    hub.process.kill()
    await hub.ended()
    await until(lambda: not any(alive(pid) for pid in children.values()), "the children to end")
    receiver.free.set()
    await hub.start()
    await until(lambda: len(receiver.received) == 2, hub.said)
    assert "engine: took back 1 deliveries that were under way\n" in hub.said()
    assert receiver.received[0].key == receiver.received[1].key
    assert receiver.received[0].body == receiver.received[1].body
    await delivery(hub, key, "cut", "delivered")


async def test_a_front_that_dies_loses_nothing_that_it_answered(hub, receiver):
    key = await subscribed(hub, receiver)
    accepted = []
    for number in range(40):
        if number == 20:
            os.kill(hub.children()["front"], signal.SIGKILL)
        try:
            await hub.post(key, budget_line(str(number), number))
        except aiohttp.ClientError:
            await until(hub.ready, hub.said)
            await hub.post(key, budget_line(str(number), number))
        accepted.append(str(number))
    await until(lambda: set(accepted) <= set(receiver.ids), hub.said)
    assert "arus: front_process ended (-9); started again\n" in hub.said()
    assert sorted(receiver.ids) == sorted(accepted)


class TestFilesAndVerbs:
    async def exported(self, hub):
        done = await hub.arus("records", "export", "--type", "budget.line")
        return done.out.splitlines()

    async def test_a_dropped_file_becomes_records_beside_the_running_hub_and_without_it(self, hub, receiver):
        folder = hub.home / "drop" / "e-budgeting" / "rka"
        await until(folder.is_dir, hub.said)
        passing = folder / "rka.csv.part"
        passing.write_bytes(rka(1, 2, 3, spoiled=(2,)))
        passing.rename(folder / "rka.csv")
        await until(lambda: list(folder.glob("done/*/rka.errors.csv")), hub.said)
        assert [json.loads(line) for line in await self.exported(hub)] == [
            {"key": subject(number), "version": 1, "data": budget_line("", number, f"{number}000000.50")["data"]}
            for number in (1, 3)
        ]
        (refused,) = (await hub.arus("rejections", "--json")).json
        assert (refused["system"], refused["feed"], refused["file"], refused["line"]) == (
            "e-budgeting", "rka", "rka.csv", 3,
        )  # fmt: skip
        await self.waits_for_an_absent_system(hub)

        assert await hub.stop() == 0
        assert len(await self.exported(hub)) == 2
        key = await hub.key()
        await hub.key("dashboard", "read")
        url = ("subscriptions", "add", "dashboard", receiver.url, "--types", "budget.*", "--json")
        assert (await hub.arus(*url)).json["types"] == ["budget.*"]
        (hub.folder / "more.csv").write_bytes(rka(1, 3, 4))
        counts = (await hub.arus("intake", "e-budgeting", "rka", "more.csv", "--json")).json
        assert (counts["rows"], counts["created"], counts["unchanged"], counts["rejected"]) == (3, 1, 2, 0)
        assert receiver.received == []
        await hub.start()
        await until(lambda: receiver.received, hub.said)
        assert receiver.received[0].event["subject"] == subject(4)
        assert len((await hub.call("GET", "/v1/messages", key))["items"]) == 3

    async def waits_for_an_absent_system(self, hub):
        """Nobody has told this hub where e-Project is."""
        key = await hub.key()
        items = (await hub.call("GET", "/v1/messages", key))["items"]
        assert len(items) == 2
        for item in items:
            story = await hub.call("GET", f"/v1/messages/{item['id']}?source=e-budgeting", key)
            told = [(one["destination"], one["state"], one["attempts"]) for one in story["deliveries"]]
            assert told == [("e-project", "pending", [])]
        assert (await hub.arus("failures", "--json")).json == []
