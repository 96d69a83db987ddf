"""``arus audit``: the chain's head, and its verification against tampering and anchors."""

import sqlite3

import pytest

from bus.engine import sealing
from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import open_hub


def seal(home):
    """Do what the engine does about once a second."""
    hub = open_hub(Settings(home=home))
    try:
        return hub.writer.call(lambda connection: sealing.seal(connection, owner="test", now=hub.clock()))
    finally:
        hub.close()


@pytest.fixture
def chained(arus, home):
    """A home with two audit rows in the chain."""
    arus("keys", "create", "e-budgeting", "--scope", "post")
    arus("keys", "create", "e-project", "--scope", "post")
    assert seal(home) == 2
    return home


def test_a_whole_chain_and_its_anchor(arus, chained):
    head = arus("audit", "head", "--json").json
    assert head["position"] == 2
    found = arus("audit", "verify", "--anchor", head["hash"], "--json").json
    assert found == {
        "ok": True,
        "sealed": 2,
        "unsealed": 0,
        "head": head,
        "wrong": 0,
        "findings": [],
        "anchor": {"hash": head["hash"], "position": 2},
    }
    assert arus("audit", "head").out == f"{head['hash']} 2\n"
    assert "nothing wrong" in arus("audit", "verify").out


def test_a_tampered_row_is_told_and_ends_with_one(arus, chained):
    with sqlite3.connect(chained / "arus.db") as store:
        store.execute("UPDATE audit SET actor = 'else' WHERE position = 1")
    store.close()
    found = arus("audit", "verify", "--json", code=1).json
    assert (found["ok"], found["findings"]) == (False, [{"what": "changed", "first": 1, "last": 1, "seq": 1}])
    assert "row 1 changed" in arus("audit", "verify", code=1).out


def test_an_anchor_that_is_not_there_is_told(arus, chained):
    head = arus("audit", "head", "--json").json["hash"]
    with sqlite3.connect(chained / "arus.db") as store:
        store.execute("DELETE FROM audit WHERE position = 2")
    store.close()
    assert arus("audit", "verify", "--json").json["ok"]
    found = arus("audit", "verify", "--anchor", head, "--json", code=1).json
    assert (found["ok"], found["anchor"]) == (False, {"hash": head, "position": None})
    assert "anchor is not in the chain" in arus("audit", "verify", "--anchor", head, code=1).out


def test_what_is_no_hash_is_wrong_usage(arus):
    arus("audit", "verify", "--anchor", "yesterday", code=2)


def test_the_engine_seals_by_itself(arus, home):
    """The loop that the engine and the sweeper run, until the chain has what was written before and during it."""
    import asyncio

    from bus.entrypoints import upkeep

    arus("keys", "create", "e-budgeting", "--scope", "post")
    hub = open_hub(Settings(home=home))

    async def until(position):
        while True:
            with hub.database.reads.connect() as connection:
                if sealing.head(connection).position >= position:
                    return
            await asyncio.sleep(0.02)

    async def watch():
        task = asyncio.create_task(upkeep.seal_audit(hub, "engine"))
        await asyncio.wait_for(until(1), 20)
        await asyncio.to_thread(arus, "keys", "create", "e-project", "--scope", "post")
        await asyncio.wait_for(until(2), 20)
        task.cancel()
        await asyncio.wait([task])

    try:
        asyncio.run(watch())
    finally:
        hub.close()
