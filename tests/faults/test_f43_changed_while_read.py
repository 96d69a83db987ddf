"""F43: a file replaced, truncated, appended to or deleted while it is read is never taken in a state between two."""

import os

import pytest

from connectors.kit import drop_file
from tests.connectors.kit.dropping import Inbox

FIRST, SECOND = b"kode;jumlah\n1;10\n", b"kode;jumlah\n1;99\n2;20\n"


@pytest.fixture
def inbox(tmp_path):
    box = Inbox(tmp_path / "drop")
    box.put("rka.csv", FIRST)
    assert box.look() is None
    return box


def _while_read(monkeypatch, act):
    """Do ``act`` once, between the check of the file and the read of its bytes."""
    read, acts = os.read, [act]

    def reading(descriptor, size):
        if acts:
            acts.pop()()
        return read(descriptor, size)

    monkeypatch.setattr(drop_file.os, "read", reading)


def _claimed_path(inbox):
    return next(inbox.folder.glob(".claimed/*/rka.csv"))


@pytest.mark.parametrize("change", ["append", "truncate", "rewrite"])
def test_a_file_written_to_while_read_goes_back_and_is_read_whole_later(inbox, monkeypatch, change):
    def act():
        path = _claimed_path(inbox)
        if change == "append":
            with path.open("ab") as file:
                file.write(SECOND[len(FIRST) :])
        else:
            path.write_bytes(FIRST[:5] if change == "truncate" else SECOND)

    _while_read(monkeypatch, act)
    assert inbox.look(later=2) is None
    assert inbox.names() == ["rka.csv"]
    inbox.put("rka.csv", SECOND)
    assert inbox.settled().content == SECOND


def test_a_file_replaced_by_a_new_one_while_read_is_the_old_one_whole(inbox, monkeypatch):
    _while_read(monkeypatch, lambda: inbox.put("rka.csv", SECOND))
    first = inbox.look(later=2)
    assert first.content == FIRST
    first.done()
    assert inbox.settled().content == SECOND


def test_a_file_written_to_after_it_was_read_is_read_again(inbox):
    claimed = inbox.look(later=2)
    with _claimed_path(inbox).open("ab") as file:
        file.write(b"2;20\n")
    claimed.done()
    assert not (inbox.folder / "done").exists()
    assert inbox.settled().content == FIRST + b"2;20\n"


def test_a_file_deleted_between_two_looks_is_forgotten(inbox):
    (inbox.folder / "rka.csv").unlink()
    assert inbox.look(later=2) is None
