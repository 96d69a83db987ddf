"""Every verb, with and without --json, on a real store; what a verb does is seen by another verb."""

import csv
import io
import json
from pathlib import Path

import pytest

from bus.engine import registry, subscribing
from bus.engine.tables import deliveries
from bus.entrypoints.settings import Settings
from bus.entrypoints.wiring import open_hub
from tests.cli.conftest import Arus


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Two good SPPBJ rows and a bad one, as the national feed writes them."""
    good = {
        "kd_nontender": 10043893000,
        "tahun_anggaran": 2025,
        "kd_klpd": "D107",
        "kd_satker_str": "2.09.3.25.0.00.10.0000",
        "nama_paket": "Belanja Jasa",
        "no_sppbj": "1/SPPBJ",
        "versi_addendum": 0,
        "harga_final": 72897000,
    }
    path = tmp_path / "sppbj.json"
    path.write_text(json.dumps([good, good | {"no_sppbj": "2/SPPBJ"}, good | {"no_sppbj": "3", "harga_final": "x"}]))
    return path


def test_keys(arus: Arus, home: Path) -> None:
    made = arus("keys", "create", "newcomer", "--scope", "post,read", "--agency", "1.02.0.00.0.00.02.0000", "--json")
    assert set(made.json) == {"system", "id", "key", "scopes"}
    assert made.json["scopes"] == ["post", "read"]
    assert made.err == ""
    hub = open_hub(Settings(home=home))
    with hub.database.reads.connect() as connection:
        identity = registry.identify(connection, made.json["key"])
    hub.close()
    assert identity is not None
    assert (identity.system, identity.agency) == ("newcomer", "1.02.0.00.0.00.02.0000")
    (listed,) = arus("keys", "list", "--system", "newcomer", "--json").json
    assert listed["revoked_at"] is None
    assert made.json["key"] not in json.dumps(listed)
    assert "newcomer" in arus("keys", "list").out
    assert arus("keys", "revoke", made.json["id"], "--json").json == {"id": made.json["id"], "revoked": True}
    assert arus("keys", "list", "--json").json[0]["revoked_at"]
    assert "problem" in arus("keys", "revoke", made.json["id"], "--json", code=1).json
    assert arus("keys", "create", "other", "--scope", "read").out.startswith("arus_")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["keys", "create", "X Y", "--scope", "post"], 1),
        (["keys", "create", "abc", "--scope", "everything"], 1),
        (["keys", "create", "abc", "--scope", "post", "--agency", "12"], 2),
        (["keys", "create", "abc"], 2),
        (["nothing"], 2),
        (["messages", "show"], 2),
        (["messages", "list", "--since", "yesterday"], 2),
        (["messages", "list", "--limit", "0"], 2),
        (["intake", "e-budgeting", "rka", "no-such-file.csv"], 2),
        (["records", "export", "--type", "nothing"], 2),
        (["resolve", "x", "--as", "maybe", "--reason", "y"], 2),
        (["resolve", "x", "--as", "retry", "--reason", "y"], 1),
        (["messages", "show", "m1"], 1),
        (["records", "show", "budget.line", "x"], 1),
        (["pause", "nobody", "--reason", "x"], 1),
        (["replay", "x"], 1),
        (["snapshots", "approve", "x"], 1),
        (["subscriptions", "remove", "x"], 1),
    ],
)
def test_exit_codes(arus: Arus, words: list[str], code: int) -> None:
    done = arus(*words, code=code)
    assert done.err or words[0] == "replay"


def test_systems(arus: Arus) -> None:
    systems = {entry["system"]: entry for entry in arus("systems", "list", "--json").json}
    assert {"system", "agency", "feeds", "sinks"} <= set(systems["e-procurement"])
    assert "nontender-sppbj" in systems["e-procurement"]["feeds"]
    assert systems["e-project"]["sinks"]
    assert "e-budgeting" in arus("systems", "list").out


def test_intake_counts_every_row(arus: Arus, drop: Path) -> None:
    first = arus("intake", "e-procurement", "nontender-sppbj", drop, "--json").json
    assert first == {
        "rows": 3, "created": 2, "changed": 0, "unchanged": 0, "duplicate": 0, "deleted": 0, "rejected": 1, "parked": 0,
    }  # fmt: skip
    again = arus("intake", "e-procurement", "nontender-sppbj", drop, "--json").json
    assert (again["created"], again["unchanged"], again["rejected"]) == (0, 2, 1)
    assert "rows 3" in arus("intake", "e-procurement", "nontender-sppbj", drop).out
    (rejection,) = arus("rejections", "--json").json
    assert rejection["problems"][0]["indonesian"]
    assert "sppbj.json" in arus("rejections").out
    (told,) = csv.DictReader(io.StringIO(arus("rejections", "--csv").out))
    assert told["file"] == "sppbj.json"
    lines = [json.loads(line) for line in arus("records", "export", "--type", "contract.appointment").out.splitlines()]
    assert [set(line) for line in lines] == [{"key", "version", "data"}] * 2
    assert arus("records", "export", "--type", "contract.appointment", "--json").json == lines
    record = arus("records", "show", "contract.appointment", lines[0]["key"], "--json").json
    assert record["data"] == lines[0]["data"]
    assert lines[0]["key"] in arus("records", "show", "contract.appointment", lines[0]["key"]).out


def test_a_refused_file(arus: Arus, tmp_path: Path, drop: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("[]")
    refused = arus("intake", "e-procurement", "nontender-sppbj", empty, "--json", code=1)
    assert set(refused.json) == {"problem"}
    both = arus("intake", "e-procurement", "nontender-sppbj", empty, drop, "--json", code=1).json
    assert both["rows"] == 3
    assert both["problem"]
    unknown = arus("intake", "e-procurement", "nothing", drop, "--json", code=2)
    assert "nontender-sppbj" in unknown.json["problem"]["detail"]


def test_mapping_try_stores_nothing(arus: Arus, drop: Path) -> None:
    shown = arus("mapping", "try", "e-procurement", "nontender-sppbj", drop, "--json", code=1).json
    assert (shown["rows"], shown["rejected"]) == (3, 1)
    assert shown["records"][0]["data"]["final_price"] == "72897000.00"
    assert shown["records"][2]["problems"][0]["english"]
    assert len(arus("mapping", "try", "e-procurement", "nontender-sppbj", drop, code=1).out.splitlines()) == 3
    assert arus("messages", "list", "--json").json == []


def test_messages(arus: Arus, drop: Path) -> None:
    arus("intake", "e-procurement", "nontender-sppbj", drop)
    found = arus("messages", "list", "--type", "contract.appointment", "--source", "e-procurement", "--json").json
    assert [message["hub_id"] for message in found] == ["m2", "m1"]
    assert len(arus("messages", "list", "--limit", "1", "--json").json) == 1
    assert arus("messages", "list", "--until", "2020-01-01T00:00:00+07:00", "--json").json == []
    assert arus("messages", "list", "--text", "2%2FSPPBJ", "--json").json[0]["hub_id"] == "m2"
    story = arus("messages", "show", "m1", "--json").json
    assert story["canonical"]["number"] == "1/SPPBJ"
    assert arus("messages", "show", story["id"], "--source", "e-procurement", "--json").json == story
    assert story["subject"] in arus("messages", "show", "m1").out
    assert story["subject"][:40] in arus("messages", "list").out


def test_subscriptions(arus: Arus, drop: Path, home: Path) -> None:
    arus("intake", "e-procurement", "nontender-sppbj", drop)
    url = "http://127.0.0.1:9/hook"
    words = ["subscriptions", "add", "e-budgeting", url, "--types", "contract.*,budget.line", "--from", "current"]
    made = arus(*words, "--json").json
    assert made["types"] == ["contract.*", "budget.line"]
    assert arus("subscriptions", "list", "--json").json == [
        {name: value for name, value in made.items() if name != "secret"}
    ]
    assert url in arus("subscriptions", "list").out
    story = arus("messages", "show", "m1", "--json").json
    (delivery,) = story["deliveries"]
    assert (delivery["destination"], delivery["state"]) == (f"sub:{made['id']}", "pending")
    assert f"sub:{made['id']}: pending" in arus("messages", "show", "m1").out
    assert arus("subscriptions", "remove", made["id"], "--json").json["removed"]
    assert arus("subscriptions", "list", "--json").json == []
    assert "unknown-type" in arus(*words[:4], "--types", "nothing", "--json", code=1).json["problem"]["type"]
    hub = open_hub(Settings(home=home))
    with hub.database.reads.connect() as connection:
        assert subscribing.live(connection) == []
    hub.close()


def test_waiting_deciding_and_replaying(arus: Arus, drop: Path, home: Path) -> None:
    arus("intake", "e-procurement", "nontender-sppbj", drop)
    arus("subscriptions", "add", "e-budgeting", "http://127.0.0.1:9/", "--types", "contract.*", "--from", "current")
    hub = open_hub(Settings(home=home))
    hub.writer.call(
        lambda connection: connection.execute(
            deliveries.update().values(state="parked", parked="ambiguous", reason="no answer")
        )
    )
    hub.writer.call(
        lambda connection: connection.execute(
            deliveries.update()
            .where(deliveries.c.seq == 2)
            .values(state="dead", parked=None, reason="refused", holds=0)
        )
    )
    hub.close()
    (parked,) = arus("parked", "--json").json
    assert parked["parked"] == "ambiguous"
    assert parked["id"] in arus("parked").out
    assert arus("parked", "--destination", "e-project", "--json").json == []
    (failure,) = arus("failures", "--json").json
    assert (failure["count"], failure["reason"]) == (1, "refused")
    assert "refused" in arus("failures").out
    state = arus("resolve", parked["id"], "--as", "discard", "--reason", "sent by hand", "--json").json
    assert state == {"id": parked["id"], "state": "discarded"}
    again = arus("resolve", parked["id"], "--as", "discard", "--reason", "x", "--json", code=1).json
    assert again["problem"]["type"].endswith("not-waiting")
    (replayed,) = arus("replay", failure["example"], "--reason", "mended", "--json").json
    assert replayed == {"id": failure["example"], "status": "replayed", "sent": failure["example"]}
    assert "not-replayable" in arus("replay", failure["example"], "--json", code=1).json[0]["problem"]["type"]
    assert arus("failures", "--json").json == []
    assert arus("failures").out == "none\n"


def test_pause_and_resume(arus: Arus) -> None:
    def paused() -> list[str]:
        return [entry["system"] for entry in arus("systems", "list", "--json").json if entry["paused"]]

    assert arus("pause", "e-project", "--reason", "works there", "--json").json == {
        "system": "e-project",
        "paused": True,
    }
    assert paused() == ["e-project"]
    assert arus("resume", "e-project").out == "e-project resumed\n"
    assert paused() == []


def test_held_snapshots(arus: Arus, tmp_path: Path, drop: Path) -> None:
    row = json.loads(drop.read_text())[0]
    whole, cut = tmp_path / "whole.json", tmp_path / "cut.json"
    whole.write_text(json.dumps([row | {"no_sppbj": str(number)} for number in range(100)]))
    cut.write_text(json.dumps([row | {"no_sppbj": str(number)} for number in range(50)]))
    arus("intake", "e-procurement", "nontender-sppbj", whole)
    held = arus("intake", "e-procurement", "nontender-sppbj", cut, "--json", code=1).json["problem"]
    assert held["type"].endswith("snapshot-held")
    (snapshot,) = arus("snapshots", "--state", "held", "--json").json
    assert (snapshot["id"], snapshot["deletions"]) == (held["snapshot"], 50)
    assert snapshot["id"] in arus("snapshots").out
    assert arus("snapshots", "refuse", snapshot["id"], "--json").json["state"] == "refused"
    assert arus("snapshots", "list", "--state", "held", "--json").json == []
    arus("intake", "e-procurement", "nontender-sppbj", cut, code=1)
    (snapshot,) = arus("snapshots", "list", "--state", "held", "--json").json
    approved = arus("snapshots", "approve", snapshot["id"], "--reason", "seen", "--json").json
    assert (approved["state"], approved["deleted"]) == ("approved", 50)
    left = arus("records", "export", "--type", "contract.appointment").out.splitlines()
    assert len(left) == 50


def test_db_upgrade(arus: Arus, home: Path) -> None:
    assert arus("db", "upgrade", "--json").json["revision"]
    assert (home / "arus.db").exists()
    assert "revision" in arus("db", "upgrade").out


def test_a_store_of_a_newer_program(arus: Arus, home: Path) -> None:
    import sqlite3

    arus("db", "upgrade")
    with sqlite3.connect(home / "arus.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'later'")
    assert arus("parked", "--json", code=1).json["problem"]["type"].endswith("schema")
    (finding,) = arus("check", "--json", code=1).json["findings"]
    assert finding["where"] == "store"


def test_a_home_that_cannot_be_made(arus: Arus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ARUS_HOME", str(tmp_path / "file"))
    assert arus("parked", "--json", code=1).json["problem"]["status"] == 503


@pytest.mark.parametrize(("name", "value"), [("ARUS_PORT", "many"), ("ARUS_MAX_BODY", "-1")])
def test_wrong_settings_are_wrong_usage(arus: Arus, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    done = arus("parked", code=2)
    assert name.removeprefix("ARUS_").lower() in done.err
    assert value not in done.err
