"""F46: 100,000 files at once, pipes, devices, links, folders: no hang, nothing read outside, the worker lives on."""

import os
import socket

import pytest

from tests.connectors.kit.dropping import Inbox

MANY = 100_000


@pytest.fixture
def inbox(tmp_path):
    box = Inbox(tmp_path / "drop")
    box.folder.mkdir()
    return box


def _symlink(path, secret):
    path.symlink_to(secret)


def _hard_link(path, secret):
    os.link(secret, path)


def _pipe(path, secret):
    os.mkfifo(path)


def _folder(path, secret):
    path.mkdir()


def _socket(path, secret):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def _device(path, secret):
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


@pytest.mark.parametrize("plant", [_symlink, _hard_link, _pipe, _folder, _socket, _device])
def test_what_only_looks_like_a_file_is_set_aside_unread(inbox, tmp_path, plant, monkeypatch):
    secret = tmp_path / "shadow"
    secret.write_bytes(b"root:secret\n")
    monkeypatch.chdir(inbox.folder)  # a socket's path has a short limit
    plant(inbox.folder / "x.csv" if plant is not _socket else type(inbox.folder)("x.csv"), secret)
    good = inbox.put("good.csv")
    os.utime(good, (2**31, 2**31))
    claimed = inbox.settled()
    assert claimed.name == "good.csv"
    assert b"secret" not in claimed.content
    assert inbox.names() == []
    report = next((inbox.folder / "refused").glob("x*.report.txt")).read_text()
    assert report.startswith("hard-link" if plant is _hard_link else "not-a-file")
    assert len(report.splitlines()) == 3
    assert secret.read_bytes() == b"root:secret\n"


def test_a_file_swapped_for_a_link_after_the_look_is_not_followed(inbox, tmp_path):
    secret = tmp_path / "shadow"
    secret.write_bytes(b"root:secret\n")
    path = inbox.put("x.csv", b"root:public\n")
    assert inbox.look() is None
    path.unlink()
    path.symlink_to(secret)
    assert inbox.look(later=2) is None
    assert inbox.settled() is None
    assert "not-a-file" in next((inbox.folder / "refused").glob("x*.report.txt")).read_text()


def test_a_hundred_thousand_files_are_looked_at_once_and_claimed_one_by_one(inbox, monkeypatch):
    for number in range(MANY):
        os.mknod(inbox.folder / f"{number:06d}.csv")
    scans = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda where: scans.append(where) or scan(where))
    assert inbox.look() is None
    names = [inbox.look(later=2.0 if number == 0 else 0.0).name for number in range(200)]
    assert len(set(names)) == 200
    assert len(scans) <= 6, "the folder is not read anew for each claim"
