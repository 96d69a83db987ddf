"""One dropped file: told apart from what only looks like one, and read whole or not at all."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import PurePath

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ENDINGS = {".csv": b"\n\r", ".json": b"]}"}
"""What the last byte (for JSON: the last that is no blank) of a complete file is."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Look:
    """What a name stood for when it was first seen like this."""

    inode: int
    size: int
    changed_ns: int
    since: float


FAULTS: dict[str, tuple[str, str]] = {
    "not-a-file": (
        "this is a link, folder, pipe or device and was not opened: drop a plain file",
        "ini tautan, folder, pipa atau perangkat dan tidak dibuka: kirim berkas biasa",
    ),
    "hard-link": (
        "the file has another name elsewhere and was not opened: drop a copy",
        "berkas ini memiliki nama lain di tempat lain dan tidak dibuka: kirim salinannya",
    ),
    "file-too-large": ("the file is too large: split it by document", "berkas terlalu besar: pisahkan per dokumen"),
    "file-unreadable": (
        "the hub may not read the file: give it read permission and drop it again",
        "hub tidak berhak membaca berkas: beri izin baca lalu kirim ulang",
    ),
}


def same(look: Look, status: os.stat_result) -> bool:
    """Whether a name still stands for the file that was looked at."""
    return (look.inode, look.size, look.changed_ns) == (status.st_ino, status.st_size, status.st_mtime_ns)


def fault(status: os.stat_result, most: int) -> str | None:
    """Why a name must not be opened (a key of FAULTS); None for a plain file of one name and a bearable size."""
    if not stat.S_ISREG(status.st_mode):
        return "not-a-file"
    if status.st_nlink != 1:
        return "hard-link"
    return "file-too-large" if status.st_size > most else None


def finished(folder: int, name: str) -> bool:
    """Whether the file ends as a complete one of its kind does. An empty file is finished: it is refused as empty."""
    try:
        descriptor = os.open(name, _OPEN, dir_fd=folder)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        tail = os.pread(descriptor, 64, max(0, status.st_size - 64))
    finally:
        os.close(descriptor)
    suffix = PurePath(name).suffix.lower()
    last = tail[-1:] if suffix == ".csv" else tail.rstrip()[-1:]
    return not tail or last in _ENDINGS.get(suffix, last)


def read_whole(folder: int, name: str, look: Look, most: int) -> bytes | None:
    """The content of a plain file of one name that is the same before and after; None where it is not."""
    try:
        descriptor = os.open(name, _OPEN, dir_fd=folder)
    except OSError:
        return None
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_nlink != 1 or not same(look, before):
            return None
        chunks: list[bytes] = []
        size = 0
        while size <= most and (chunk := os.read(descriptor, _CHUNK)):
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks) if same(look, os.fstat(descriptor)) and size == look.size else None
    finally:
        os.close(descriptor)


def sync_file(folder: int, name: str) -> None:
    """Wait until the file's content is on disk."""
    descriptor = os.open(name, _OPEN, dir_fd=folder)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
