"""One thread per process writes, and commits many callers' work at once (group commit).

A caller hears of success only after the commit is on disk. Work that fails alone fails alone: when a group cannot
be committed its members are tried one by one.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from .commit_doubt import number_of, was_committed
from .store_faults import StoreUnavailable, SyncFailed, is_passing, is_rivalry, outage, words

__all__ = ["Batch", "StoreUnavailable", "Writer"]

T = TypeVar("T")
Item = TypeVar("Item")

GROUP = 512
"""At most this many pieces of work share a transaction: other processes wait no longer than one of these."""

AWAY = 1.0
"""A store that others hold for less is ordinary, and not worth a line in the log."""

DOUBT = 2.0
"""Seconds to ask what became of a COMMIT without an answer: a server that has not noticed the cut cannot say."""

PATIENCE = 30.0
"""Seconds to go on trying while another process holds the store or the server restarts."""


class Batch(Generic[Item, T]):
    """Work of one kind, done for all waiting callers in one call: ``handle(connection, items) -> results``."""

    def __init__(self, handle: Callable[[Connection, Sequence[Item]], Sequence[T]]) -> None:
        self.handle = handle


@dataclass(slots=True)
class _Work:
    batch: Batch[Any, Any] | None
    item: Any
    done: Future[Any] | None
    waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[Any]] | None


class Writer:
    """``after_commit`` is called in the writer's thread after each commit: the doorbell.

    ``broken`` is called there once, when the disk failed a sync: from then on all work gets StoreUnavailable, and
    only opening the store anew (in a new process) helps. ``tell`` is told there, in a line, of a store that cannot
    take a write and of its return: work that waited it out shows nowhere else.
    """

    def __init__(
        self,
        engine: Engine,
        after_commit: Callable[[], None] = lambda: None,
        broken: Callable[[], None] = lambda: None,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._engine = engine
        self._after_commit = after_commit
        self._broken = broken
        self._tell = tell
        self._away_since: float | None = None
        self._doubtful: tuple[str, list[Any]] | None = None
        """Number and results of a transaction of which the COMMIT was sent and not answered."""
        self._failed: SyncFailed | None = None
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="arus-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Pieces of work that no transaction has taken yet (for back-pressure)."""
        return self._queue.qsize()

    @property
    def closed(self) -> bool:
        """No work is taken any more."""
        return self._closed

    def call(self, job: Callable[[Connection], T]) -> T:
        """Run ``job`` in a transaction and return after the commit. For threads, not for an event loop."""
        done: Future[T] = Future()
        self._hand_in(_Work(None, job, done, None))
        return done.result()

    def put(self, batch: Batch[Item, T], item: Item) -> T:
        """As ``call``, for one item of a batch."""
        done: Future[T] = Future()
        self._hand_in(_Work(batch, item, done, None))
        return done.result()

    def run(self, job: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Run ``job`` in a transaction; the future is done after the commit."""
        return self._later(None, job)

    def add(self, batch: Batch[Item, T], item: Item) -> asyncio.Future[T]:
        """Do ``item`` with all others of its batch that wait; the future is done after the commit."""
        return self._later(batch, item)

    def _later(self, batch: Batch[Any, Any] | None, item: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._hand_in(_Work(batch, item, None, (loop, waiter)))
        return waiter

    def _hand_in(self, work: _Work) -> None:
        with self._door:
            if self._closed:  # nobody would ever answer it
                raise StoreUnavailable("the hub is stopping")
            self._queue.put(work)

    def close(self) -> None:
        """Finish what was given, then stop; work that comes later gets StoreUnavailable. Twice is harmless."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group, ended = self._gather(first)
            self._answer(group, self._commit(group))
            if self._failed is not None:
                self._give_up(self._failed)
                return
            if ended:
                return

    def _give_up(self, failed: SyncFailed) -> None:
        with self._door:
            self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                if (work := self._queue.get_nowait()) is not None:
                    self._answer([work], [failed])
        self._broken()

    def _gather(self, first: _Work) -> tuple[list[_Work], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                break
            if work is None:
                return group, True
            group.append(work)
        return group, False

    def _commit(self, group: list[_Work], *, again: bool = False) -> list[Any]:
        """Results in the order of ``group``; an exception stands for a piece of work that failed."""
        try:
            results = self._patiently(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to a caller
            if len(group) > 1 and not isinstance(error, StoreUnavailable):
                return [result for work in group for result in self._commit([work])]
            if isinstance(error, IntegrityError) and not again:
                # Another process stored the same thing between our look and our insert: now we see it.
                return self._commit(group, again=True)
            return [error] * len(group)
        self._after_commit()
        return results

    def _patiently(self, group: list[_Work]) -> list[Any]:
        began = time.monotonic()
        pause = 0.01
        self._doubtful = None
        while True:
            if self._failed is not None:
                raise self._failed
            try:
                results = self._doubted() or self._transaction(group)
            except DBAPIError as error:
                self._tell_away(error, began)
                if (down := outage(error)) is not None:
                    self._failed = down if isinstance(down, SyncFailed) else None
                    raise down from error
                if not is_passing(error):
                    raise
                if time.monotonic() > began + PATIENCE:
                    raise StoreUnavailable(words(error)) from error
            else:
                self._tell_back()
                return results
            time.sleep(pause)
            pause = min(pause * 2, 0.5)

    def _doubted(self) -> list[Any] | None:
        """The results of the try before, where it was committed after all."""
        if self._doubtful is None:
            return None
        number, results = self._doubtful
        until = time.monotonic() + DOUBT
        while (committed := was_committed(self._engine, number)) is None and time.monotonic() < until:
            time.sleep(0.05)
        self._doubtful = None
        return results if committed else None

    def _tell_away(self, error: DBAPIError, began: float) -> None:
        lost = error.connection_invalidated or outage(error) is not None
        waits = is_passing(error) and not is_rivalry(error) and time.monotonic() > began + AWAY
        if self._away_since is None and (lost or waits):
            self._away_since = began
            self._tell(f"arus: the store does not take writes: {words(error)}")

    def _tell_back(self) -> None:
        if self._away_since is not None:
            self._tell(f"arus: the store takes writes again, after {time.monotonic() - self._away_since:.1f} s")
            self._away_since = None

    def _transaction(self, group: list[_Work]) -> list[Any]:
        results: list[Any] = [None] * len(group)
        batches: dict[Batch[Any, Any], list[int]] = {}
        with self._engine.begin() as connection:
            for index, work in enumerate(group):
                if work.batch is None:
                    results[index] = work.item(connection)
                else:
                    batches.setdefault(work.batch, []).append(index)
            for batch, indexes in batches.items():
                answers = batch.handle(connection, [group[index].item for index in indexes])
                for index, answer in zip(indexes, answers, strict=True):
                    results[index] = answer
            if (number := number_of(connection)) is not None:
                self._doubtful = number, results
        self._doubtful = None
        return results

    def _answer(self, group: list[_Work], results: list[Any]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for work, result in zip(group, results, strict=True):
            if work.waiter is not None:
                loops.setdefault(work.waiter[0], []).append((work.waiter[1], result))
            elif work.done is not None:
                if isinstance(result, Exception):
                    work.done.set_exception(result)
                else:
                    work.done.set_result(result)
        for loop, answers in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
