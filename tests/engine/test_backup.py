"""Backup while the hub works, restore, and what a restored hub knows of the time between: on both databases."""

import io
import json
import os
import tarfile
import threading
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from bus.contract.errors import Refused
from bus.contract.verdict import Ambiguous, Delivered, Rejected
from bus.engine import archive, copying, registers, restore, sealing, tables
from bus.engine.backup import backup
from bus.engine.database import open_database, upgrade
from bus.engine.lanes import next_sequences
from tests.engine.hub import Hub, incoming

HOUR = 3600
WAIT = 60

BOTH = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
"""Run on both databases; without it a test runs on SQLite, where a database costs next to nothing."""


@pytest.fixture
def store_url(request):
    kind = getattr(request, "param", "sqlite")
    return request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgres_database")


@pytest.fixture
def empty_url(store_url, tmp_path, request):
    """A second database of the same kind, without tables."""
    if store_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'arus.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"other_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.url(name)
    with server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def saved(hub, tmp_path):
    """A backup of: one delivered, one dead, one ambiguous, one claimed, two waiting; then an hour went on."""
    for subject in ("delivered", "dead", "doubtful"):
        hub.post(subject)
        hub.carry(
            {"delivered": Delivered(), "dead": Rejected("no"), "doubtful": Ambiguous("gone")}[subject], kind="blind"
        )
    hub.post("claimed")
    hub.claim()
    hub.post("waiting")
    hub.post("package", system="e-project", type="project.package")
    hub.do(sealing.seal, owner="one", now=hub.clock())
    file = tmp_path / "backup.tar"
    hub.manifest = backup(hub.database.url, file, now=hub.clock())
    hub.clock.forward(HOUR)
    return file


def _head(url):
    database = open_database(url)
    with database.reads.connect() as connection:
        head = sealing.head(connection)
    database.close()
    return head


def _restore(url, file, **more):
    return restore.restore(
        url, file, now=more.pop("now", 1_700_000_000_000_000 + HOUR * 1_000_000), actor="person", **more
    )


def _refusal(act, *args, **more):
    with pytest.raises(Refused) as caught:
        act(*args, **more)
    return caught.value.problem.slug


@pytest.fixture
def opened():
    """Open a store as a hub that a test drives, and close it at the end."""
    made = []

    def hub(url):
        made.append(open_database(url))
        return Hub(made[-1])

    yield hub
    for database in made:
        database.close()


def _rows(hub, *names):
    return {name: hub.rows(tables.METADATA.tables[name]) for name in names}


@BOTH
def test_a_restored_store_has_what_the_backup_had(hub, saved, empty_url, opened):
    kept = ("messages", "records", "replicas", "attempts", "counters", "systems")
    before = _rows(hub, *kept)
    states = [(row.id, row.state, row.sequence) for row in hub.deliveries()]
    hub.post("later")
    _restore(empty_url, saved)
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
    told = _restore(empty_url, saved)
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
    _restore(empty_url, saved)
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
    _restore(empty_url, saved)
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
    _restore(empty_url, saved)
    again = opened(empty_url)
    again.post("new")
    first = again.the("new").sequence
    file = saved.with_name("second.tar")
    backup(empty_url, file, now=again.clock() + HOUR)
    again.database.close()
    _restore(empty_url, file, force=True, now=again.clock() + HOUR)
    third = opened(empty_url)
    third.post("newer")
    assert third.the("newer").sequence > first + restore.LEAST_JUMP


def test_the_chain_goes_on_and_a_later_anchor_is_missing(hub, saved, empty_url, opened):
    early = _head(hub.database.url)
    hub.post("later")
    hub.do(sealing.seal, owner="one", now=hub.clock())
    late = _head(hub.database.url)
    _restore(empty_url, saved)
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
    late = _head(url)
    hub.database.close()
    assert _refusal(_restore, url, saved) == "store-not-empty"
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
    return _restore(url, file, force=True)


def test_nobody_holds_anything_after_a_restore(hub, saved, empty_url, opened):
    _restore(empty_url, saved)
    again = opened(empty_url)
    assert [row.owner for row in again.rows(tables.lanes) if row.owner] == []
    assert again.count(registers.workers) == 0
    assert [row.lease_owner for row in again.rows(registers.feeds) if row.lease_owner] == []
    assert {row.deaths for row in again.deliveries()} == {0}


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
    _restore(empty_url, tmp_path / "backup.tar")
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
    assert _refusal(backup, hub.database.url, saved, now=1) == "file-exists"
    assert saved.read_bytes() == before
    assert backup(hub.database.url, saved, now=1, overwrite=True).messages == 6
    assert {path.name for path in saved.parent.iterdir() if "backup" in path.name} == {"backup.tar"}


def test_a_backup_of_an_older_schema_is_taken_as_it_is_and_migrated_by_the_restore(store_url, tmp_path, empty_url):
    from alembic import command

    from bus.engine.database import _alembic

    command.downgrade(_alembic(store_url), "0001")
    manifest = backup(store_url, tmp_path / "old.tar", now=1)
    assert (manifest.revision, manifest.audit_position) == ("0001", 0)
    _restore(empty_url, tmp_path / "old.tar")
    upgrade(empty_url)
    assert _head(empty_url).position == 0


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
    assert _refusal(_restore, empty_url, saved) == "not-a-backup"
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
    assert _refusal(_restore, empty_url, saved) == slug


def test_a_restore_that_fails_leaves_the_old_store(hub, saved, monkeypatch, opened):
    hub.post("later")
    url = hub.database.url

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(restore, "copy_sqlite", fail)
    with pytest.raises(OSError, match="no space"):
        _restore(url, saved, force=True)
    assert opened(url).count(tables.messages) == 7


def test_a_damaged_store_is_told_apart_from_one_that_is_away(sqlite_url, tmp_path):
    backup(sqlite_url, tmp_path / "backup.tar", now=1)
    path = tmp_path / "arus.db"
    path.write_bytes(b"garbage" * 5000)
    assert _refusal(_restore, sqlite_url, tmp_path / "backup.tar") == "store-damaged"
    path.unlink()
    _restore(sqlite_url, tmp_path / "backup.tar")
    assert _head(sqlite_url).position == 0


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
    assert _refusal(backup, hub.database.url, tmp_path / "backup.tar", now=1) == "store-damaged"
    assert not (tmp_path / "backup.tar").exists()


def test_a_locked_store_is_waited_for_only_so_long(sqlite_store, tmp_path, monkeypatch):
    monkeypatch.setattr(copying, "BUSY_SECONDS", 0.3)
    monkeypatch.setattr(copying, "_LOOK", 0.1)
    source = tmp_path / "source.db"
    copying.copy_sqlite(tmp_path / "arus.db", source)
    with sqlite_store.writes.begin(), pytest.raises(Exception, match="locked"):
        copying.copy_sqlite(source, tmp_path / "arus.db")


def test_a_store_with_other_sessions_is_in_use(postgres_store, tmp_path, monkeypatch):
    monkeypatch.setattr(restore, "_PATIENCE", 0.0)
    backup(postgres_store.url, tmp_path / "backup.tar", now=1)
    with postgres_store.reads.connect():
        assert _refusal(_restore, postgres_store.url, tmp_path / "backup.tar", force=True) == "store-in-use"


def test_missing_programs_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(copying, "_DEBIAN", tmp_path)
    assert _refusal(copying.dump_postgres, "postgresql://arus@127.0.0.1/arus", "1", tmp_path / "d") == "client-missing"


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
