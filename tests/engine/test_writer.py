"""The writer: one thread, one commit for many, no answer before it."""

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import event, select

from bus.engine import registers
from bus.engine import writer as module
from bus.engine.writer import Batch, StoreUnavailable, Writer
from tests.services import wait_until

controls = registers.controls


def _put(connection, name, value=1):
    connection.execute(controls.insert().values(name=name, value=value))
    return name


def _names(store):
    with store.reads.connect() as connection:
        return set(connection.execute(select(controls.c.name)).scalars())


@pytest.fixture
def writer(store):
    made = Writer(store.writes)
    yield made
    made.close()


class Held:
    """Keeps the writer's thread busy, so that what is handed in meanwhile forms one group."""

    def __init__(self, writer):
        self._writer, self._go = writer, threading.Event()
        self._inside = threading.Event()
        self._pool = ThreadPoolExecutor(32)

    def __enter__(self):
        self._first = self._pool.submit(self._writer.call, self._hold)
        assert self._inside.wait(30)
        return self._pool

    def _hold(self, _connection):
        self._inside.set()
        assert self._go.wait(30)

    def __exit__(self, *_):
        self._go.set()
        self._first.result(30)
        self._pool.shutdown()


def test_an_answer_comes_after_the_commit(store, writer):
    assert writer.call(lambda connection: _put(connection, "a")) == "a"
    assert _names(store) == {"a"}


def test_what_waits_together_is_committed_together_and_the_bell_rings_once(store):
    commits, bells = [], []
    event.listen(store.writes, "commit", lambda _connection: commits.append(1))
    writer = Writer(store.writes, after_commit=lambda: bells.append(len(commits)))
    batch = Batch(lambda connection, items: [_put(connection, item) for item in items])
    with Held(writer) as pool:
        answers = [pool.submit(writer.put, batch, f"k{number}") for number in range(20)]
        wait_until(lambda: writer.waiting == 20)
    assert [answer.result() for answer in answers] == [f"k{number}" for number in range(20)]
    assert (len(commits), bells) == (2, [1, 2])
    writer.close()


def test_one_that_fails_fails_alone(store, writer):
    def handle(connection, items):
        return [_put(connection, None if item == "bad" else item) for item in items]

    batch = Batch(handle)
    with Held(writer) as pool:
        answers = {name: pool.submit(writer.put, batch, name) for name in ("a", "bad", "b")}
        answers["job"] = pool.submit(writer.call, lambda connection: _put(connection, "c"))
        wait_until(lambda: writer.waiting == 4)
    assert [answers[name].result() for name in ("a", "b", "job")] == ["a", "b", "c"]
    with pytest.raises(Exception, match=r"(?i)not.null"):
        answers["bad"].result()
    assert _names(store) == {"a", "b", "c"}


def test_a_job_that_raises_leaves_nothing(store, writer):
    def job(connection):
        _put(connection, "a")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        writer.call(job)
    assert _names(store) == set()
    assert writer.call(lambda connection: _put(connection, "b")) == "b"


async def test_an_event_loop_waits_without_blocking(store, writer):
    batch = Batch(lambda connection, items: [_put(connection, item) for item in items])
    answers = await asyncio.gather(
        writer.run(lambda connection: _put(connection, "a")), *(writer.add(batch, f"k{number}") for number in range(9))
    )
    assert answers == ["a", *[f"k{number}" for number in range(9)]]
    with pytest.raises(ZeroDivisionError):
        await writer.run(lambda _connection: 1 // 0)


async def test_a_caller_that_stopped_waiting_harms_nobody(store, writer):
    answer = writer.run(lambda connection: _put(connection, "a"))
    answer.cancel()
    assert await writer.run(lambda connection: _put(connection, "b")) == "b"
    assert _names(store) == {"a", "b"}


def test_a_locked_store_is_waited_for(sqlite_store, monkeypatch, tmp_path):
    writer = Writer(sqlite_store.writes)
    lock = sqlite3.connect(tmp_path / "arus.db", isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(writer.call, lambda connection: _put(connection, "a"))
        wait_until(lambda: writer.waiting == 0)
        lock.execute("ROLLBACK")
        assert answer.result(30) == "a"
    writer.close()
    lock.close()


class FailsOnce:
    """Work that ``statement`` stops at its first try."""

    def __init__(self, statement):
        self.statement, self.tries = statement, 0

    def __call__(self, connection):
        self.tries += 1
        if self.tries == 1:
            connection.exec_driver_sql(self.statement)
        return _put(connection, "a")


def test_a_lost_connection_is_told_of_and_the_return_too(postgres_store):
    lines, job = [], FailsOnce("SELECT pg_terminate_backend(pg_backend_pid())")
    writer = Writer(postgres_store.writes, tell=lines.append)
    assert writer.call(job) == "a"
    assert writer.call(lambda connection: _put(connection, "b")) == "b"
    writer.close()
    away, back = lines
    assert away.startswith("arus: the store does not take writes: ")
    assert back.startswith("arus: the store takes writes again, after 0.")


class CutAtCommit:
    """The connection breaks in the first COMMIT, after ``before`` was done with it."""

    def __init__(self, store, monkeypatch, before):
        self._honest, self._before, self.cut = store.writes.dialect.do_commit, before, []
        monkeypatch.setattr(store.writes.dialect, "do_commit", self._commit)

    def _commit(self, connection):
        if self.cut:
            return self._honest(connection)
        self.cut.append(connection)
        self._before(connection)
        raise psycopg.OperationalError("server closed the connection unexpectedly")


def _end(connection):
    """As a connection that was cut ends: the server hears of it and rolls back what is open."""
    connection.dbapi_connection.close()


def _commit_and_end(connection):
    connection.commit()
    connection.dbapi_connection.close()


@pytest.mark.parametrize(("before", "tries"), [(_commit_and_end, 1), (_end, 2)])
def test_what_was_committed_without_an_answer_is_not_done_again(postgres_store, monkeypatch, before, tries):
    lost = CutAtCommit(postgres_store, monkeypatch, before)
    done = []

    def job(connection):
        done.append(_put(connection, f"try-{len(done)}"))
        return len(done)

    writer = Writer(postgres_store.writes)
    assert writer.call(job) == tries
    assert len(lost.cut) == 1
    assert _names(postgres_store) == {done[-1]}
    assert writer.call(lambda connection: _put(connection, "next")) == "next"
    writer.close()


def test_of_a_commit_that_the_server_does_not_decide_nobody_waits_for_long(postgres_store, monkeypatch):
    monkeypatch.setattr(module, "DOUBT", 0.1)
    monkeypatch.setattr(module, "was_committed", lambda engine, number: None)
    CutAtCommit(postgres_store, monkeypatch, _end)
    done = []
    writer = Writer(postgres_store.writes)
    writer.call(lambda connection: done.append(_put(connection, f"try-{len(done)}")))
    assert _names(postgres_store) == {"try-1"}
    writer.close()


def test_of_a_store_that_others_hold_for_long_the_log_says_it_once(sqlite_store, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "AWAY", 0.0)
    event.listen(sqlite_store.writes, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=1"))
    sqlite_store.writes.dispose()
    lines, refused = [], []
    event.listen(sqlite_store.writes, "handle_error", lambda _context: refused.append(1))
    writer = Writer(sqlite_store.writes, tell=lines.append)
    lock = sqlite3.connect(tmp_path / "arus.db", isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(writer.call, lambda connection: _put(connection, "a"))
        wait_until(lambda: len(refused) > 2)
        lock.execute("ROLLBACK")
        assert answer.result(30) == "a"
    writer.close()
    lock.close()
    assert [line.split(",")[0].split(": ")[1] for line in lines] == [
        "the store does not take writes",
        "the store takes writes again",
    ]


def test_a_deadlock_is_no_news_however_long_it_took(postgres_store, monkeypatch):
    monkeypatch.setattr(module, "AWAY", -1.0)
    lines, job = [], FailsOnce("DO $$ BEGIN RAISE EXCEPTION 'held' USING ERRCODE = '40P01'; END $$")
    writer = Writer(postgres_store.writes, tell=lines.append)
    assert writer.call(job) == "a"
    writer.close()
    assert (job.tries, lines) == (2, [])


def test_a_store_locked_for_too_long_is_unavailable_and_nothing_is_stored(sqlite_store, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    event.listen(sqlite_store.writes, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=10"))
    sqlite_store.writes.dispose()
    writer = Writer(sqlite_store.writes)
    lock = sqlite3.connect(tmp_path / "arus.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        writer.call(lambda connection: _put(connection, "a"))
    lock.execute("ROLLBACK")
    assert _names(sqlite_store) == set()
    assert writer.call(lambda connection: _put(connection, "b")) == "b"
    writer.close()
    lock.close()


def test_a_read_only_store_is_unavailable_at_once(sqlite_store):
    event.listen(sqlite_store.writes, "connect", lambda connection, _: connection.execute("PRAGMA query_only=1"))
    sqlite_store.writes.dispose()
    writer = Writer(sqlite_store.writes)
    with pytest.raises(StoreUnavailable, match="readonly"):
        writer.call(lambda connection: _put(connection, "a"))
    writer.close()


def test_closing_finishes_what_was_given_and_refuses_what_comes_later(store):
    writer = Writer(store.writes)
    with Held(writer) as pool:
        answers = [pool.submit(writer.call, lambda connection, n=n: _put(connection, f"k{n}")) for n in range(3)]
        wait_until(lambda: writer.waiting == 3)
        closing = threading.Thread(target=writer.close)
        closing.start()
        wait_until(lambda: writer.waiting == 4)
    closing.join(30)
    assert {answer.result() for answer in answers} == _names(store) == {"k0", "k1", "k2"}
    with pytest.raises(StoreUnavailable, match="stopping"):
        writer.call(lambda connection: _put(connection, "late"))
    writer.close()
