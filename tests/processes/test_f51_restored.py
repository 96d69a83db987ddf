"""F51: the hub is restored from a backup, after it went on: it says what it may send again, and the keys absorb it."""

from .events import budget_line
from .running import until
from .test_delivery import delivery


async def _head(hub):
    """Give the chain's head once everything written so far is in it: the running engine seals by itself."""

    async def look():
        found = (await hub.arus("audit", "verify", "--json")).json
        return found["head"] if found["unsealed"] == 0 and found["sealed"] else None

    return (await until(look, "everything to be sealed"))["hash"]


async def test_a_restored_hub_says_what_it_may_send_again_and_keys_absorb_it(hub, receiver):
    await hub.subscribe(await hub.key("dashboard", "read"), receiver.url)
    key = await hub.key()
    await hub.post(key, budget_line("early"))
    await delivery(hub, key, "early", "delivered")
    await hub.arus("pause", "dashboard", "--reason", "so that one is open")
    await hub.post(key, budget_line("open", amount="2.00"))
    await _head(hub)
    saved = (await hub.arus("backup", "b.tar", "--json")).json
    assert saved["messages"] == 2
    assert sorted(saved["open"].values()) == [1, 2]  # the subscription's; e-Project is not reached here

    await hub.arus("resume", "dashboard")
    await hub.post(key, budget_line("late", amount="3.00"))
    await until(lambda: receiver.ids == ["early", "open", "late"], hub.said)
    after = await _head(hub)
    told = await hub.arus("restore", "b.tar", "--force", "--json", code=1)
    assert told.json["problem"]["type"].endswith("store-in-use")
    assert await hub.stop() == 0

    told = (await hub.arus("restore", "b.tar", "--force", "--json")).json
    (subscription,) = [name for name in told["destinations"] if name.startswith("sub:")]
    assert told["destinations"][subscription] == {"deliveries": 1, "messages": ["m2"]}
    assert told["audit"]["replaced_head"]["hash"] == after
    assert "anchor is not in the chain" in (await hub.arus("audit", "verify", "--anchor", after, code=1)).out

    await hub.start()
    await hub.arus("resume", "dashboard")
    assert (await hub.post(key, budget_line("late", amount="3.00")))["status"] == "accepted"
    await until(lambda: receiver.ids == ["early", "open", "late", "open", "late"], hub.said)
    _, first_open, first_late, second_open, second_late = receiver.received
    assert second_open.key == first_open.key
    assert second_late.key != first_late.key
    assert int(second_late.event["sequence"]) > int(first_late.event["sequence"])
