"""What the databases' own errors mean, and a writer whose disk failed a sync."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg.errors
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bus.engine.store_faults import DiskFull, StoreUnavailable, SyncFailed, is_passing, outage
from bus.engine.writer import Writer
from tests.services import wait_until


def sqlite(name, words):
    error = sqlite3.OperationalError(words)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("orig", "kind"),
    [
        (sqlite("SQLITE_FULL", "database or disk is full"), DiskFull),
        (sqlite("SQLITE_IOERR_SHMSIZE", "disk I/O error"), DiskFull),
        (psycopg.errors.DiskFull('could not extend file "base/5/1259": No space left on device'), DiskFull),
        (sqlite("SQLITE_IOERR_FSYNC", "disk I/O error"), SyncFailed),
        (sqlite("SQLITE_IOERR_WRITE", "disk I/O error"), StoreUnavailable),
        (sqlite("SQLITE_READONLY", "attempt to write a readonly database"), StoreUnavailable),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"), StoreUnavailable),
        (sqlite("SQLITE_BUSY", "database is locked"), None),
        (psycopg.errors.UndefinedTable("no such table"), None),
    ],
)
def test_an_error_is_told_for_what_it_is(orig, kind):
    error = OperationalError("INSERT", {}, orig)
    found = outage(error)
    assert type(found) is (kind or type(None))
    assert is_passing(error) is (orig.args[0] == "database is locked")


def test_after_a_failed_sync_nothing_is_written_and_whoever_waits_is_told():
    """Also what shared the group: its members are not tried one by one on a disk that forgot what it was given."""
    syncs, broken, hold = [], threading.Event(), threading.Event()

    def fails(_connection):
        syncs.append(1)
        raise OperationalError("COMMIT", {}, sqlite("SQLITE_IOERR_FSYNC", "disk I/O error"))

    class Engine:
        def begin(self):
            hold.wait(20)
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

    writer = Writer(Engine(), broken=broken.set)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(writer.call, fails)
        wait_until(lambda: writer.waiting == 0)
        others = [pool.submit(writer.call, fails) for _ in range(3)]
        wait_until(lambda: writer.waiting == 3)
        hold.set()
        for answer in (first, *others):
            with pytest.raises(SyncFailed):
                answer.result(20)
    assert broken.wait(20)
    assert syncs == [1]
    with pytest.raises(StoreUnavailable):
        writer.call(lambda connection: connection.execute(text("SELECT 1")))
    writer.close()
