"""A hub's private folder of claimed files, and the return of what a dead hub left in its own.

Each hub claims by renaming into ``.claimed/<unique>/``, which rename makes exclusive on any file system. The folder
holds an owner file locked with flock for as long as the hub lives: the lock is freed by death alone, so a folder
whose owner file can be locked belongs to nobody.
"""

from __future__ import annotations

import fcntl
import os
import uuid

from .drop_places import move, open_below

_OWNER = ".owner"
_ROOT = ".claimed"
_UNBORN = ".new-"


class ClaimFolder:
    """This hub's claim folder in one drop folder; ``descriptor`` is its directory."""

    def __init__(self, inbox: int) -> None:
        root = open_below(inbox, _ROOT)
        try:
            self.name = uuid.uuid4().hex
            self.descriptor = open_below(root, _UNBORN + self.name)
            self._lock = os.open(
                _OWNER, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640, dir_fd=self.descriptor
            )
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Seen by others only once locked, so no one can take it for a dead hub's.
            os.rename(_UNBORN + self.name, self.name, src_dir_fd=root, dst_dir_fd=root)
        finally:
            os.close(root)

    def close(self) -> None:
        """Give up the folder; what is still in it is taken back by the next hub that looks."""
        os.close(self._lock)
        os.close(self.descriptor)


def take_back(inbox: int, own: str) -> int:
    """Put files of hubs that died back into the inbox; gives their number. Folders of living hubs are not touched."""
    root = open_below(inbox, _ROOT)
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if entry.name != own and not entry.name.startswith(_UNBORN)]
        return sum(_take_back_one(inbox, root, name) for name in names)
    finally:
        os.close(root)


def _take_back_one(inbox: int, root: int, name: str) -> int:
    try:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=root)
    except OSError:
        return 0
    try:
        lock = os.open(_OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        os.close(folder)
        return 0
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.scandir(folder) as entries:
            left = [entry.name for entry in entries if entry.name != _OWNER]
        for file in left:
            move(file, folder, inbox, file)
        os.unlink(_OWNER, dir_fd=folder)
        os.rmdir(name, dir_fd=root)
        return len(left)
    except OSError:
        return 0
    finally:
        os.close(lock)
        os.close(folder)
