"""Taking files and pages of a feed: good rows become messages, bad ones rejections, nothing is lost."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from bus.contract.clock import MICROSECONDS, Clock
from bus.contract.errors import Problem, Refused
from bus.contract.feed import Feed, FileRefused, Page, Reading, Row
from bus.contract.message import Incoming

from . import audit, counters, feed_state, held, rejecting
from .accept import Acceptor
from .aliases import with_codes
from .database import Database
from .deleting import deletions
from .snapshot_plan import Good, HoldRule, Place, Plan, Read, plan, read_rows
from .taken import Approval, Counts, Taken
from .writer import Writer

T = TypeVar("T")

PORTION = 100
"""Messages per transaction: each makes about five rows, and others want to write too."""

BUSY_PATIENCE = 30.0
"""Seconds to wait for another reader of the same feed."""


FeedOf = Callable[[str, str], Feed | None]
"""Finds a feed by system and name."""


class Intake:
    """Blocking; several feeds may be read at once, one feed only by one reader."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        acceptor: Acceptor,
        clock: Clock,
        tally: counters.Tally = counters.count_nothing,
        hold: HoldRule | None = None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._acceptor = acceptor
        self._clock = clock
        self._tally = tally
        self._hold = hold or HoldRule()

    def take(self, feed: Feed, content: bytes, filename: str, *, actor: str, approved: Approval | None = None) -> Taken:
        """Take one file. Raises Refused where the file is refused or held; then nothing of it was stored."""
        filename = filename.encode("utf-8", "replace").decode()  # a name on disk need not be Unicode, one stored must
        reading = self._reading(feed, content, filename, actor)
        rows = self._named(feed, reading.rows)
        digest = hashlib.sha256(content).hexdigest()
        with self._alone(feed) as owner:
            if approved is not None:  # while the feed was busy a newer snapshot may have come
                self._writer.call(functools.partial(held.get, snapshot=approved.snapshot))
            read = read_rows(feed, rows, whole=reading.whole)
            previous = self._read(lambda c: feed_state.previous(c, feed.system, feed.name, read.scopes))
            planned = plan(feed, read, previous)
            if approved is None and self._hold.holds(planned, previous):
                raise self._held(feed, content, filename, read, planned, sum(map(len, previous.values())), actor)
            parked, deleted = self._apply(feed, planned, owner)
            finish = functools.partial(self._finish, feed=feed, filename=filename, digest=digest, read=read)
            self._writer.call(functools.partial(finish, actor=actor, approved=approved))
        return Taken(Counts.of(read, planned, parked, deleted), reading, tuple(read.rejected), read.conflicts)

    def approve(self, snapshot: str, feed_of: FeedOf, *, actor: str, reason: str) -> Counts:
        """A person lets a held snapshot through. It counts as approved with the last of its messages."""
        row = self._writer.call(lambda c: held.get(c, snapshot))
        feed = feed_of(row.system, row.feed)
        if feed is None:
            raise Refused(Problem("unknown-feed", "Unknown feed", 422, "the feed of this snapshot exists no more"))
        approval = Approval(snapshot, reason)
        return self.take(feed, held.content_of(row), row.file, actor=actor, approved=approval).counts

    def refuse(self, snapshot: str, *, actor: str, reason: str) -> None:
        """A person refuses a held snapshot: nothing of it is taken."""
        now = self._clock()
        self._writer.call(lambda c: held.decide(c, snapshot, "refused", actor=actor, reason=reason, now=now))

    def take_page(self, feed: Feed, page: Page) -> Counts:
        """Take one page of a polled feed; its cursor commits with the last of its messages."""
        read = read_rows(feed, self._named(feed, page.rows))
        keys = [key for _, key in read.winners]
        with self._alone(feed) as owner:
            known = self._read(lambda c: feed_state.hashes(c, feed.system, feed.name, keys))
            planned = plan(feed, read, {(): known})
            parked, deleted = self._apply(feed, planned, owner)
            self._writer.call(functools.partial(self._finish_page, feed=feed, read=read, cursor=page.cursor))
        return Counts.of(read, planned, parked, deleted)

    def cursor(self, feed: Feed) -> str | None:
        """Where the polled feed goes on."""
        return self._read(lambda c: feed_state.cursor(c, feed.system, feed.name))

    def _read(self, question: Callable[[Connection], T]) -> T:
        with self._database.reads.connect() as connection:
            return question(connection)

    def _reading(self, feed: Feed, content: bytes, filename: str, actor: str) -> Reading:
        if feed.read is None:
            raise Refused(Problem("not-a-file-feed", "Not a file feed", 422, f"feed {feed.name} takes no files"))
        try:
            reading = feed.read(content, filename)
            if not reading.rows:
                raise FileRefused("empty-file", "the file holds no rows", "berkas tidak berisi baris")
        except FileRefused as refused:
            self._writer.call(functools.partial(self._refused, feed=feed, filename=filename, why=refused, actor=actor))
            raise Refused(_problem(refused)) from refused
        return reading

    def _named(self, feed: Feed, rows: Sequence[Row]) -> Sequence[Row]:
        if feed.agency_field is None:
            return rows
        with self._database.reads.connect() as connection:
            return with_codes(connection, rows, feed.agency_field)

    @contextlib.contextmanager
    def _alone(self, feed: Feed) -> Iterator[str]:
        owner = uuid.uuid4().hex
        until = time.monotonic() + BUSY_PATIENCE
        while not self._writer.call(lambda c: feed_state.take_lease(c, feed.system, feed.name, owner, self._clock())):
            if time.monotonic() > until:
                detail = f"feed {feed.name} of {feed.system} is being read by another process; try again"
                raise Refused(Problem("feed-busy", "Feed busy", 503, detail), retry_after=10)
            time.sleep(0.1)
        try:
            yield owner
        finally:
            self._writer.call(lambda c: feed_state.end_lease(c, feed.system, feed.name, owner))

    def _held(
        self, feed: Feed, content: bytes, filename: str, read: Read, planned: Plan, size: int, actor: str
    ) -> Refused:
        snapshot = self._writer.call(
            functools.partial(
                held.hold,
                feed=feed,
                file=filename,
                content=content,
                scopes=sorted(read.scopes),
                rows=read.rows,
                deletions=len(planned.deleted),
                size=size,
                actor=actor,
                now=self._clock(),
            )
        )
        detail = (
            f"the snapshot would delete {len(planned.deleted)} of {size} records, so a person must look first: "
            f"arus snapshots approve {snapshot}, or refuse it"
        )
        more = {"snapshot": snapshot, "deletions": len(planned.deleted), "size": size}
        return Refused(Problem("snapshot-held", "Snapshot held", 409, detail, more=more))

    def _apply(self, feed: Feed, planned: Plan, owner: str) -> tuple[int, int]:
        """Write messages and feed state, a portion a transaction; answers how many messages wait, how many delete."""
        parked = deleted = 0
        news = [*planned.created, *planned.changed]
        for first in range(0, len(news), PORTION):
            part = news[first : first + PORTION]
            parked += self._writer.call(functools.partial(self._write, feed=feed, part=part, owner=owner))
        for first in range(0, len(planned.deleted), PORTION):
            gone = planned.deleted[first : first + PORTION]
            deleted += self._writer.call(functools.partial(self._delete, feed=feed, places=gone, owner=owner))
        return parked, deleted

    def _write(self, connection: Connection, feed: Feed, part: Sequence[Good], owner: str) -> int:
        self._renew(connection, feed, owner)
        outcomes = self._acceptor.accept(connection, [_incoming(feed, good) for good in part])
        rows = [(good.scope, good.record.subject, good.hash) for good in part]
        feed_state.remember(connection, feed.system, feed.name, rows)
        return sum(outcome.parked for outcome in outcomes)

    def _delete(self, connection: Connection, feed: Feed, places: Sequence[Place], owner: str) -> int:
        self._renew(connection, feed, owner)
        living = feed_state.elsewhere(connection, feed.system, feed.name, places)
        gone = deletions(connection, feed, [key for _, key in places if key not in living])
        if gone:
            self._acceptor.accept(connection, gone)
        feed_state.forget(connection, feed.system, feed.name, places)
        return len(gone)

    def _renew(self, connection: Connection, feed: Feed, owner: str) -> None:
        if not feed_state.take_lease(connection, feed.system, feed.name, owner, self._clock()):
            raise Refused(Problem("feed-busy", "Feed busy", 503, "another process took the feed over"), retry_after=10)

    def _finish(
        self,
        connection: Connection,
        feed: Feed,
        filename: str,
        digest: str,
        read: Read,
        actor: str,
        approved: Approval | None,
    ) -> None:
        now = self._clock()
        if approved is not None:
            held.decide(connection, approved.snapshot, "approved", actor=actor, reason=approved.reason, now=now)
        if read.whole:
            held.replace(connection, feed, read.scopes, actor=actor, now=now)
        rejecting.write(connection, feed, read.rejected, file=filename, digest=digest, now=now)
        counters.add(connection, self._tally(rejecting.events(feed, read.rejected, now / MICROSECONDS)))
        feed_state.advance(connection, feed.system, feed.name, digest, now)
        detail = {"feed": feed.name, "file": filename, "sha256": digest, "rows": read.rows}
        audit.note(connection, now, actor, "file-taken", detail | {"rejected": len(read.rejected)})

    def _finish_page(self, connection: Connection, feed: Feed, read: Read, cursor: str | None) -> None:
        now = self._clock()
        rejecting.write(connection, feed, read.rejected, file=None, digest=None, now=now)
        counters.add(connection, self._tally(rejecting.events(feed, read.rejected, now / MICROSECONDS)))
        feed_state.advance(connection, feed.system, feed.name, cursor, now)

    def _refused(self, connection: Connection, feed: Feed, filename: str, why: FileRefused, actor: str) -> None:
        now = self._clock()
        counters.add(connection, self._tally(rejecting.file_events(feed)))
        audit.note(connection, now, actor, "file-refused", {"feed": feed.name, "file": filename, "why": why.code})


def _problem(refused: FileRefused) -> Problem:
    error: dict[str, object] = {"field": "file", "english": refused.english, "indonesian": refused.indonesian}
    if refused.line is not None:
        error["line"] = refused.line
    return Problem(refused.code, "File refused", 422, f"{refused.english} / {refused.indonesian}", errors=(error,))


def _incoming(feed: Feed, good: Good) -> Incoming:
    return Incoming(
        id=uuid.uuid4().hex,
        system=feed.system,
        type=good.record.type,
        subject=good.record.subject,
        data=good.record.data,
        content=good.hash,
        raw=good.row.raw.encode("utf-8", "surrogateescape"),
        agency=good.record.agency,
        feed=feed.name,
    )
