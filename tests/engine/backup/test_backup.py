"""A backup, while the hub works: all of one moment, private, and refused where it would not be whole."""

import json
import os
import threading

import pytest
from alembic import command
from sqlalchemy import func, select

from bus.contract.errors import Refused
from bus.engine import archive, copying, registers, tables
from bus.engine.backup import backup
from bus.engine.database import _alembic, upgrade
from tests.engine.backup.restoring import BOTH, head_of, refusal, restored
from tests.engine.hub import incoming

WAIT = 60


@BOTH
def test_a_backup_beside_accepts_is_of_one_moment(hub, tmp_path, empty_url, opened):
    """Every message here has one record and one delivery: a copy that mixed two moments would not add up."""
    count, enough, stop = 0, threading.Event(), threading.Event()

    def accept():
        nonlocal count
        while not stop.is_set():
            hub.accept(*[incoming(f"k{count + number}") for number in range(20)])
            count += 20
            if count >= 400:
                enough.set()

    poster = threading.Thread(target=accept)
    poster.start()
    try:
        assert enough.wait(WAIT)
        before = count
        manifest = backup(hub.database.url, tmp_path / "backup.tar", now=hub.clock())
        made, enough_later = count, threading.Event()
        while count <= made and not enough_later.wait(0.01):
            assert poster.is_alive()
    finally:
        stop.set()
        poster.join()
    restored(empty_url, tmp_path / "backup.tar")
    again = opened(empty_url)
    counts = [again.count(table) for table in (tables.messages, tables.records, tables.deliveries, tables.lanes)]
    assert counts == [manifest.messages] * 4
    assert manifest.deliveries == manifest.messages
    assert before <= manifest.messages < hub.count(tables.messages)
    told = sum(len(json.loads(row.detail)["messages"]) for row in again.audited("accepted"))
    assert told == manifest.messages


def test_a_backup_is_private_and_does_not_replace_a_file_unasked(hub, saved):
    assert saved.stat().st_mode & 0o777 == 0o600
    before = saved.read_bytes()
    assert refusal(backup, hub.database.url, saved, now=1) == "file-exists"
    assert saved.read_bytes() == before
    assert backup(hub.database.url, saved, now=1, overwrite=True).messages == 6
    assert {path.name for path in saved.parent.iterdir() if "backup" in path.name} == {"backup.tar"}


def test_a_backup_of_an_older_schema_is_taken_as_it_is_and_migrated_by_the_restore(store_url, tmp_path, empty_url):
    command.downgrade(_alembic(store_url), "0001")
    manifest = backup(store_url, tmp_path / "old.tar", now=1)
    assert (manifest.revision, manifest.audit_position) == ("0001", 0)
    restored(empty_url, tmp_path / "old.tar")
    upgrade(empty_url)
    assert head_of(empty_url).position == 0


def test_a_damaged_store_makes_no_backup(hub, tmp_path):
    """Pages of a table are overwritten, as a bad disk would: nothing is noticed until they are read."""
    for number in range(300):
        hub.post(f"k{number}")
    hub.database.close()
    path = tmp_path / "arus.db"
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2 // 4096 * 4096
    whole[middle : middle + 40960] = os.urandom(40960)
    path.write_bytes(whole)
    assert refusal(backup, hub.database.url, tmp_path / "backup.tar", now=1) == "store-damaged"
    assert not (tmp_path / "backup.tar").exists()


def test_a_locked_store_is_waited_for_only_so_long(sqlite_store, tmp_path, monkeypatch):
    monkeypatch.setattr(copying, "BUSY_SECONDS", 0.3)
    monkeypatch.setattr(copying, "_LOOK", 0.1)
    source = tmp_path / "source.db"
    copying.copy_sqlite(tmp_path / "arus.db", source)
    with sqlite_store.writes.begin(), pytest.raises(Exception, match="locked"):
        copying.copy_sqlite(source, tmp_path / "arus.db")


def test_missing_programs_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(copying, "_DEBIAN", tmp_path)
    assert refusal(copying.dump_postgres, "postgresql://arus@127.0.0.1/arus", "1", tmp_path / "d") == "client-missing"


def test_what_the_program_says_is_told(postgres_url, tmp_path):
    with pytest.raises(Refused) as caught:
        copying.dump_postgres(postgres_url, "no-such-snapshot", tmp_path / "dump")
    assert caught.value.problem.slug == "client-failed"
    assert "snapshot" in caught.value.problem.detail


def test_a_manifest_says_what_the_store_held(hub, saved):
    manifest = archive.read(saved)
    assert manifest == hub.manifest
    assert (manifest.messages, manifest.deliveries, manifest.unsealed) == (6, 6, 0)
    with hub.database.reads.connect() as connection:
        assert connection.execute(select(func.count()).select_from(registers.audit)).scalar_one() > 0
