"""``arus backup`` and ``arus restore``: what they print, and what they refuse."""

import fcntl
import json
import os

import pytest

from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import open_hub
from tests.cli.test_audit import seal
from tests.engine.hub import incoming


@pytest.fixture
def filled(arus, home):
    """Two accepted budget lines that wait for e-Project, and a chain."""
    hub = open_hub(Settings(home=home))
    items = [incoming(f"k{number}", data={"key": f"k{number}"}) for number in range(2)]
    try:
        hub.writer.call(lambda connection: hub.acceptor.accept(connection, items))
    finally:
        hub.close()
    seal(home)
    return home


def test_there_and_back(arus, filled, tmp_path, monkeypatch):
    head = arus("audit", "head", "--json").json
    saved = arus("backup", "b.tar", "--json").json
    assert (saved["messages"], saved["database"], saved["audit"]["hash"]) == (2, "sqlite", head["hash"])
    assert saved["bytes"] == (tmp_path / "b.tar").stat().st_size
    listed = {one["hub_id"] for one in arus("messages", "list", "--json").json}

    monkeypatch.setenv("ARUS_HOME", str(tmp_path / "other"))
    told = arus("restore", "b.tar", "--json").json
    assert told["backup_at"] == saved["made_at"] < told["restored_at"]
    assert told["may_send_again"] == sum(saved["open"].values()) > 0
    for name, one in told["destinations"].items():
        assert one["deliveries"] == saved["open"][name]
        assert set(one["messages"]) <= listed
    some = next(iter(told["destinations"].values()))["messages"][0]
    assert arus("messages", "show", some, "--json").json
    assert told["audit"] == {"backup_head": head, "replaced_head": None}
    assert arus("audit", "verify", "--anchor", head["hash"], "--json").json["ok"]


def test_words_for_people(arus, filled, tmp_path, monkeypatch):
    assert "2 messages" in arus("backup", "b.tar").out
    monkeypatch.setenv("ARUS_HOME", str(tmp_path / "other"))
    out = arus("restore", "b.tar").out
    assert "may be sent again" in out
    assert "(m" in out


def test_an_empty_home_is_made_and_saved(arus, home):
    assert arus("backup", "b.tar", "--json").json["messages"] == 0
    arus("restore", "b.tar")


def test_a_running_hub_is_not_replaced(arus, filled):
    arus("backup", "b.tar")
    descriptor = os.open(filled / "arus.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert arus("restore", "b.tar", "--force", "--json", code=1).json["problem"]["type"].endswith("store-in-use")
    finally:
        os.close(descriptor)


def test_a_store_that_is_not_empty_needs_force(arus, filled):
    arus("backup", "b.tar")
    refused = arus("restore", "b.tar", "--json", code=1)
    assert refused.json["problem"]["type"].endswith("store-not-empty")
    assert "--force" in refused.err
    assert arus("restore", "b.tar", "--force", "--json").json["audit"]["replaced_head"]["position"] > 0


def test_what_is_no_backup_is_told(arus, tmp_path):
    (tmp_path / "b.tar").write_text(json.dumps({}))
    assert arus("restore", "b.tar", "--json", code=1).json["problem"]["type"].endswith("not-a-backup")
    arus("restore", "missing.tar", code=2)
    arus("backup", "nowhere/b.tar", "--json", code=1)
