"""Drop folder: files that a system leaves, each taken once, whole, by one hub.

Order of a claim: the file must have kept its size and time over two looks at least ``settle_seconds`` apart and end
in a finished line (an exporter that writes no final newline is waited for ``unterminated_seconds``); then it is
renamed into this hub's own folder, opened without following links, checked to be a plain file with one name, read,
and checked again to be what it was before. Whatever is not such a file is set aside in ``refused/`` with a report.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

from .drop_file import FAULTS, Look, fault, finished, read_whole, same, sync_file
from .drop_owner import ClaimFolder, take_back
from .drop_places import move, open_below, shown, write_beside

_UNFINISHED = (".tmp", ".part", ".filepart", "~", ".errors.csv")


@dataclass(frozen=True, slots=True)
class DropSettings:
    """``suffixes`` that the feed takes, in lower case; times in seconds. ``unterminated_seconds`` counts from the
    first look at the file as it stands now."""

    suffixes: tuple[str, ...] = (".csv",)
    settle_seconds: float = 2.0
    unterminated_seconds: float = 60.0
    max_bytes: int = 50 * 1024 * 1024


class LocalDropFolder:
    """``bus.contract.feed.DropFolder`` on a local or mounted folder. Not for use by several threads at once.

    ``clock`` gives seconds that only rise; ``today`` the day whose folder in ``done/`` a file goes to.
    """

    def __init__(
        self,
        folder: Path,
        settings: DropSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.folder = folder
        self.settings = settings or DropSettings()
        self._clock, self._today = clock, today
        self._looks: dict[str, Look] = {}
        self._ready: deque[str] = deque()
        self._left_alone: dict[str, int] = {}
        self._own: ClaimFolder | None = None

    def claim(self) -> LocalClaimed | None:
        """The next complete file, oldest first; None where none is ready. Never raises for what a sender left."""
        with self._inbox() as inbox:
            own = self._own = self._own or ClaimFolder(inbox)
            if not self._ready:
                take_back(inbox, own.name)
                self._ready.extend(self._look(inbox))
            while self._ready:
                name = self._ready.popleft()
                try:
                    claimed = self._take(inbox, own, name)
                except FileNotFoundError:
                    continue  # taken by another hub, or withdrawn by its sender
                if claimed is not None:
                    return claimed
        return None

    def close(self) -> None:
        """Leave the folder; claimed files that were neither archived nor refused go back at the next hub's look."""
        if self._own is not None:
            self._own.close()
            self._own = None

    @contextmanager
    def _inbox(self) -> Iterator[int]:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _look(self, inbox: int) -> list[str]:
        """One look at every file: names that are settled, oldest first. Sorted once for all the claims that follow."""
        now = self._clock()
        looks: dict[str, Look] = {}
        settled: list[tuple[int, str]] = []
        with os.scandir(inbox) as entries:
            for entry in entries:
                if not self._wanted(entry.name):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if self._left_alone.get(entry.name) == status.st_ino:
                    continue
                look = self._looks.get(entry.name)
                if look is None or not same(look, status):
                    look = Look(status.st_ino, status.st_size, status.st_mtime_ns, now)
                looks[entry.name] = look
                if now - look.since >= self.settings.settle_seconds:
                    settled.append((status.st_mtime_ns, entry.name))
        self._looks = looks
        return [name for _, name in sorted(settled)]

    def _wanted(self, name: str) -> bool:
        lower = name.lower()
        return not name.startswith(".") and not lower.endswith(_UNFINISHED) and lower.endswith(self.settings.suffixes)

    def _take(self, inbox: int, own: ClaimFolder, name: str) -> LocalClaimed | None:
        look = self._looks[name]
        status = os.stat(name, dir_fd=inbox, follow_symlinks=False)
        if not same(look, status):
            return None
        wrong = fault(status, self.settings.max_bytes)
        if wrong is not None or not os.access(name, os.R_OK, dir_fd=inbox):
            self._set_aside(inbox, name, status.st_ino, wrong or "file-unreadable")
            return None
        waited = self._clock() - look.since
        if waited < self.settings.unterminated_seconds and not finished(inbox, name):
            return None
        os.rename(name, name, src_dir_fd=inbox, dst_dir_fd=own.descriptor)
        self._looks.pop(name, None)
        content = read_whole(own.descriptor, name, look, self.settings.max_bytes)
        if content is None:
            move(name, own.descriptor, inbox, name)
            return None
        return LocalClaimed(self, name, content, look)

    def _set_aside(self, inbox: int, name: str, inode: int, wrong: str) -> None:
        """Move what must not be read into ``refused/``; where it cannot be moved it is left and reported once."""
        os.stat(name, dir_fd=inbox, follow_symlinks=False)  # gone since: another hub took it, nothing to report
        english, indonesian = FAULTS[wrong]
        target = open_below(inbox, "refused")
        try:
            try:
                moved = move(name, inbox, target, name)
            except PermissionError:
                self._left_alone[name] = inode
                moved = name
            write_beside(target, f"{moved}.report.txt", f"{wrong}\n{indonesian}\n{english}\n".encode())
        finally:
            os.close(target)

    def settle(self, claimed: LocalClaimed, *path: str, beside: tuple[Callable[[str], str], bytes] | None) -> None:
        """Move a claimed file below ``path`` with its companion, named after it; both are on disk before this returns.

        A file that was written to after it was read goes back to the inbox instead, to be read again.
        """
        own = self._own
        if own is None:
            return
        with self._inbox() as inbox:
            if not same(claimed.look, os.stat(claimed.stored, dir_fd=own.descriptor, follow_symlinks=False)):
                move(claimed.stored, own.descriptor, inbox, claimed.stored)
                return
            sync_file(own.descriptor, claimed.stored)
            target = open_below(inbox, *path)
            try:
                moved = move(claimed.stored, own.descriptor, target, claimed.stored)
                if beside is not None:
                    write_beside(target, beside[0](moved), beside[1])
                os.fsync(target)
                os.fsync(own.descriptor)
            finally:
                os.close(target)

    def put_back(self, claimed: LocalClaimed) -> None:
        """Return a claimed file to the inbox; a newer file of its name there is not overwritten."""
        if self._own is not None:
            with self._inbox() as inbox:
                move(claimed.stored, self._own.descriptor, inbox, claimed.stored)

    def day(self) -> str:
        """Name of the folder in ``done/`` for files archived now."""
        return self._today().isoformat()


class LocalClaimed:
    """``bus.contract.feed.Claimed``: done, refused or release ends the claim, and what is called later does nothing."""

    def __init__(self, folder: LocalDropFolder, stored: str, content: bytes, look: Look) -> None:
        self.name = shown(stored)
        self.content = content
        self.stored = stored
        self.look = look
        self._folder: LocalDropFolder | None = folder

    def done(self, errors: bytes | None = None) -> None:
        """Archive into ``done/<date>/``, with ``<name>.errors.csv`` beside it where rows were refused."""
        if folder := self._ended():
            beside = None if errors is None else (_errors_name, errors)
            folder.settle(self, "done", folder.day(), beside=beside)

    def refused(self, report: bytes) -> None:
        """Move into ``refused/`` with ``<name>.report.txt`` beside it."""
        if folder := self._ended():
            folder.settle(self, "refused", beside=(_report_name, report))

    def release(self) -> None:
        """Put it back into the inbox."""
        if folder := self._ended():
            folder.put_back(self)

    def _ended(self) -> LocalDropFolder | None:
        folder, self._folder = self._folder, None
        return folder


def _errors_name(archived: str) -> str:
    return f"{PurePath(archived).stem}.errors.csv"


def _report_name(archived: str) -> str:
    return f"{archived}.report.txt"
