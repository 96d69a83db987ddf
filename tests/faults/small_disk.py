"""A disk of its own for a test: ext4 on a loop file, small enough to be filled, mounted as long as the test runs."""

import contextlib
import os
import subprocess
from pathlib import Path

from tests.services import wait_until
from tests.services.programs import missing, program

MEBIBYTE = 2**20


class SmallDisk:
    """ext4 of ``size`` bytes at ``place``, without blocks that only root may use."""

    def __init__(self, image, place, size):
        self.image, self.place = Path(image), Path(place)
        with self.image.open("wb") as file:
            file.truncate(size)
        self.place.mkdir(parents=True, exist_ok=True)
        run(program("mkfs.ext4", package="e2fsprogs"), "-q", "-F", "-m", "0", "-E", "nodiscard", self.image)

    def mount(self):
        run(program("mount", package="mount"), "-o", "loop", self.image, self.place)
        self.mounted = True

    def unmount(self):
        """Also while processes have files open there; they keep what they have until they close it."""
        run(program("umount", package="mount"), "--lazy", self.place)
        self.mounted = False

    def remount(self, how):
        """``ro`` or ``rw``. False: refused, as the first is while anybody has a file open for writing."""
        try:
            run(program("mount", package="mount"), "-o", f"remount,{how}", self.place)
        except MountRefused:
            return False
        return True

    def turn_read_only(self):
        """As the kernel does by itself when it meets an error in the file system."""
        run(program("mount", package="mount"), "-o", "remount,abort", self.place)

    def check(self):
        """What an operator does then, once nobody uses it."""
        run(program("e2fsck", package="e2fsprogs"), "-y", "-f", self.image, mended=True)

    def is_let_go(self):
        """No process holds it any more: its loop device is gone."""
        return not run(program("losetup", package="mount"), "--noheadings", "--associated", self.image).strip()

    def free(self):
        """Bytes that can still be written."""
        room = os.statvfs(self.place)
        return room.f_bfree * room.f_frsize

    def fill(self, leave=0):
        """Take all room but ``leave`` bytes, in a file beside those of the test."""
        with self.ballast.open("ab") as file:
            while (room := self.free() - leave) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), min(room, MEBIBYTE))
                except OSError:  # the file's own bookkeeping needs some of it
                    break
                file.seek(0, os.SEEK_END)
            with contextlib.suppress(OSError):
                while leave == 0:
                    os.write(file.fileno(), b"x" * 4096)

    def make_room(self):
        self.ballast.unlink()

    @property
    def ballast(self):
        return self.place / "ballast"


@contextlib.contextmanager
def small_disk(image, place, size=24 * MEBIBYTE):
    """Mounted while the block runs. Where mounting is not allowed: skipped here, failed where CI=true."""
    disk = SmallDisk(image, place, size)
    try:
        disk.mount()
    except MountRefused as error:
        missing(f"this test mounts a disk of its own, as root: {error}")
    try:
        yield disk
    finally:
        if disk.mounted:
            disk.unmount()
        wait_until(disk.is_let_go, timeout=30, what="the loop device is free again")


class MountRefused(Exception):
    """The operating system said no; the text is its reason."""


def run(*words, mended=False):
    """``mended``: exit code 1 says that errors were found and corrected."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode not in ({0, 1} if mended else {0}):
        raise MountRefused(f"{Path(words[0]).name}: {done.stderr.strip()}")
    return done.stdout
