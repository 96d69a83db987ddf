"""Folders of a drop, opened so that nothing a sender plants can lead outside them, and moves that never overwrite."""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from pathlib import PurePath

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_NAMES = 10_000


def open_below(parent: int, *names: str) -> int:
    """A descriptor of the folder ``names`` below ``parent``, made where it is missing; symlinks are not followed."""
    current = os.dup(parent)
    for name in names:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o750, dir_fd=current)
        try:
            deeper = os.open(name, _DIRECTORY, dir_fd=current)
        finally:
            os.close(current)
        current = deeper
    return current


def move(name: str, source: int, target: int, wanted: str) -> str:
    """Move a file or whatever else bears the name, under ``wanted`` or the first free ``wanted.N``; gives that name.

    Never overwrites: a regular file is linked under its new name before the old one goes. What cannot be linked
    (a folder, a file system without links) gets a name that nothing else has.
    """
    regular = stat.S_ISREG(os.stat(name, dir_fd=source, follow_symlinks=False).st_mode)
    path = PurePath(wanted)
    for number in range(_MOST_NAMES if regular else 0):
        free = wanted if number == 0 else f"{path.stem}.{number}{path.suffix}"
        try:
            os.link(name, free, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError:
            break
        os.unlink(name, dir_fd=source)
        return free
    unique = f"{path.stem}.{uuid.uuid4().hex[:12]}{path.suffix}"
    os.rename(name, unique, src_dir_fd=source, dst_dir_fd=target)
    return unique


def write_beside(folder: int, wanted: str, content: bytes) -> None:
    """Write a new file that is whole on disk before its name is seen; a name that is taken gets a number."""
    hidden = f".{uuid.uuid4().hex}.tmp"
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move(hidden, folder, folder, wanted)


def shown(name: str) -> str:
    """A file name that can be stored and printed: no control characters, no broken UTF-8."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "?" for character in text)
