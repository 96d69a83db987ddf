"""A restore: the store as it was, marked for what may have happened since; and what it refuses."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bus.engine import registers, restore, sealing, tables
from bus.engine.backup import backup
from bus.engine.lanes import next_sequences
from tests.engine.backup.restoring import BOTH, HOUR, head_of, refusal, restored


def _rows(hub, *names):
    return {name: hub.rows(tables.METADATA.tables[name]) for name in names}


@BOTH
def test_a_restored_store_has_what_the_backup_had(hub, saved, empty_url, opened):
    kept = ("messages", "records", "replicas", "attempts", "counters", "systems")
    before = _rows(hub, *kept)
    states = [(row.id, row.state, row.sequence) for row in hub.deliveries()]
    hub.post("later")
    restored(empty_url, saved)
    again = opened(empty_url)
    assert _rows(again, *kept) == before
    mended = {"delivering": "pending"}  # nobody holds it any more
    assert [(row.id, row.state, row.sequence) for row in again.deliveries()] == [
        (key, mended.get(state, state), sequence) for key, state, sequence in states
    ]
    open_ones = [row.seq for row in again.deliveries() if row.state != "delivered"]
    assert [row.delivery for row in again.rows(tables.starts)] == open_ones
    again.post("new")
    assert again.the("new").sequence > restore.FASTEST * HOUR


def test_the_hub_says_what_it_may_send_again_and_keeps_it_in_the_audit_log(hub, saved, empty_url, opened):
    assert hub.manifest.open == {"e-procurement": 1, "e-project": 4}
    told = restored(empty_url, saved)
    numbers = {row.subject: row.message for row in hub.deliveries()}
    assert told.deliveries == {"e-procurement": 1, "e-project": 4}
    assert told.messages["e-procurement"] == [numbers["package"]]
    assert told.messages["e-project"] == sorted(numbers[name] for name in ("dead", "doubtful", "claimed", "waiting"))
    again = opened(empty_url)
    listed = [json.loads(row.detail) for row in again.audited("may-send-again")]
    open_ones = {row.id for row in again.deliveries() if row.state != "delivered"}
    assert {key for one in listed for key in one["deliveries"]} == open_ones
    detail = json.loads(again.audited("restored")[0].detail)
    assert detail["may_send_again"] == {"e-procurement": 1, "e-project": 4}
    assert detail["backup_head"]["position"] == hub.manifest.audit_position > 0


def test_what_may_have_been_sent_since_counts_as_started_and_keeps_its_key(hub, saved, empty_url, opened):
    """So a keyed destination gets the same key, a queryable one is asked and a blind one waits for a person."""
    keys = {row.subject: row.id for row in hub.deliveries()}
    restored(empty_url, saved)
    again = opened(empty_url)
    again.clock.forward(HOUR)
    claimed = [lane.deliveries[0] for lane in [*again.claim(), *again.claim("e-procurement")]]
    assert {one.message.subject for one in claimed} == {"claimed", "waiting", "package"}
    assert all(one.started and one.key == keys[one.message.subject] for one in claimed)
    resumed = again.replay(keys["dead"])
    (lane,) = again.claim()
    assert (lane.deliveries[0].started, lane.deliveries[0].key) == (True, resumed)
    new = again.post("new")
    assert new
    (lane,) = again.claim()
    assert not lane.deliveries[0].started


def test_lanes_go_on_above_every_number_that_may_have_been_used(hub, saved, empty_url, opened):
    for _ in range(3):
        hub.post("waiting")
        hub.post("made after the backup")
    used = max(row.sequence for row in hub.deliveries())
    restored(empty_url, saved)
    again = opened(empty_url)
    for subject in ("waiting", "made after the backup", "made after the backup"):
        again.post(subject)
    given = [row.sequence for row in again.deliveries() if row.sequence > used]
    assert len(given) == 3
    assert min(given) > restore.FASTEST * HOUR
    lane = "r:budget.line:made after the backup"
    first, second = (row.sequence for row in again.deliveries("made after the backup"))
    assert (second, again.do(next_sequences, {lane: 1})[lane]) == (first + 1, first + 2)


def test_a_second_restore_goes_above_the_first(hub, saved, empty_url, opened):
    restored(empty_url, saved)
    again = opened(empty_url)
    again.post("new")
    first = again.the("new").sequence
    file = saved.with_name("second.tar")
    backup(empty_url, file, now=again.clock() + HOUR)
    again.database.close()
    restored(empty_url, file, force=True, now=again.clock() + HOUR)
    third = opened(empty_url)
    third.post("newer")
    assert third.the("newer").sequence > first + restore.LEAST_JUMP


def test_the_chain_goes_on_and_a_later_anchor_is_missing(hub, saved, empty_url, opened):
    early = head_of(hub.database.url)
    hub.post("later")
    hub.do(sealing.seal, owner="one", now=hub.clock())
    late = head_of(hub.database.url)
    restored(empty_url, saved)
    again = opened(empty_url)
    assert again.do(sealing.seal, owner="two", now=again.clock() + 2 * HOUR * 1_000_000) > 0
    with again.database.reads.connect() as connection:
        assert sealing.verify(connection, early.hash).ok
        found = sealing.verify(connection, late.hash)
    assert (found.wrong, found.anchored, found.ok) == (0, None, False)


@BOTH
def test_a_store_that_is_not_empty_is_replaced_only_by_force_and_its_head_is_kept(hub, saved, opened):
    url = hub.database.url
    hub.post("later")
    hub.do(sealing.seal, owner="one", now=hub.clock())
    late = head_of(url)
    hub.database.close()
    assert refusal(restored, url, saved) == "store-not-empty"
    assert opened(url).count(tables.messages) == 7
    opened(url).database.close()
    told = _restore_alone(url, saved)
    assert told.replaced == late
    again = opened(url)
    assert again.count(tables.messages) == 6
    assert json.loads(again.audited("restored")[0].detail)["replaced_head"]["hash"] == late.hash


def _restore_alone(url, file):
    """Restore by force, the test's own sessions ended."""
    if url.startswith("postgresql"):
        engine = create_engine(url)
        with engine.connect() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            connection.execute(text(others + "AND pid <> pg_backend_pid()"))
        engine.dispose()
    return restored(url, file, force=True)


def test_nobody_holds_anything_after_a_restore(hub, saved, empty_url, opened):
    restored(empty_url, saved)
    again = opened(empty_url)
    assert [row.owner for row in again.rows(tables.lanes) if row.owner] == []
    assert again.count(registers.workers) == 0
    assert [row.lease_owner for row in again.rows(registers.feeds) if row.lease_owner] == []
    assert {row.deaths for row in again.deliveries()} == {0}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"",
        lambda whole: b"no tar at all" * 100,
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-20000] + bytes(20000),
    ],
    ids=["empty", "no tar", "half", "overwritten"],
)
def test_a_damaged_file_is_refused_before_anything_changes(hub, saved, empty_url, spoil):
    saved.write_bytes(spoil(saved.read_bytes()))
    assert refusal(restored, empty_url, saved) == "not-a-backup"
    assert not Path(make_url(empty_url).database).exists()


def _retold(file, **changed):
    """Write the backup again with another manifest."""
    with tarfile.open(file) as tar:
        parts = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}
    parts["manifest.json"] = json.dumps(json.loads(parts["manifest.json"]) | changed).encode()
    with tarfile.open(file, "w") as tar:
        for name, content in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    ("changed", "slug"),
    [({"revision": "9999"}, "schema"), ({"database": "oracle"}, "another-database"), ({"format": 2}, "not-a-backup")],
)
def test_a_backup_that_does_not_fit_is_refused(saved, empty_url, changed, slug):
    _retold(saved, **changed)
    assert refusal(restored, empty_url, saved) == slug


def test_a_restore_that_fails_leaves_the_old_store(hub, saved, monkeypatch, opened):
    hub.post("later")
    url = hub.database.url

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(restore, "copy_sqlite", fail)
    with pytest.raises(OSError, match="no space"):
        restored(url, saved, force=True)
    assert opened(url).count(tables.messages) == 7


def test_a_damaged_store_is_told_apart_from_one_that_is_away(sqlite_url, tmp_path):
    backup(sqlite_url, tmp_path / "backup.tar", now=1)
    path = tmp_path / "arus.db"
    path.write_bytes(b"garbage" * 5000)
    assert refusal(restored, sqlite_url, tmp_path / "backup.tar") == "store-damaged"
    path.unlink()
    restored(sqlite_url, tmp_path / "backup.tar")
    assert head_of(sqlite_url).position == 0


def test_a_store_with_other_sessions_is_in_use(postgres_store, tmp_path, monkeypatch):
    monkeypatch.setattr(restore, "_PATIENCE", 0.0)
    backup(postgres_store.url, tmp_path / "backup.tar", now=1)
    with postgres_store.reads.connect():
        assert refusal(restored, postgres_store.url, tmp_path / "backup.tar", force=True) == "store-in-use"
