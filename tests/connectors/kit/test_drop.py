import os

import pytest

from tests.connectors.kit.dropping import Inbox


@pytest.fixture
def inbox(tmp_path):
    return Inbox(tmp_path / "drop")


def test_a_finished_file_is_claimed_after_two_looks_and_archived_by_day(inbox):
    inbox.put("rka.csv")
    assert inbox.look() is None
    assert inbox.look(later=1.9) is None
    claimed = inbox.look(later=0.1)
    assert (claimed.name, claimed.content) == ("rka.csv", b"a;b\n1;2\n")
    assert inbox.names() == []
    claimed.done(errors=b"refused rows")
    assert inbox.names("done/2026-02-03") == ["rka.csv", "rka.errors.csv"]
    assert (inbox.folder / "done/2026-02-03/rka.errors.csv").read_bytes() == b"refused rows"


def test_an_archived_name_is_never_overwritten(inbox):
    for content in (b"first\n", b"second\n"):
        inbox.put("rka.csv", content)
        inbox.settled().done(errors=b"e" + content)
    day = inbox.folder / "done/2026-02-03"
    assert inbox.names("done/2026-02-03") == ["rka.1.csv", "rka.1.errors.csv", "rka.csv", "rka.errors.csv"]
    assert (day / "rka.csv").read_bytes() == b"first\n"
    assert (day / "rka.1.errors.csv").read_bytes() == b"esecond\n"


def test_a_refused_file_stands_aside_with_its_report(inbox):
    inbox.put("rka.csv")
    inbox.settled().refused(b"no header")
    assert inbox.names("refused") == ["rka.csv", "rka.csv.report.txt"]


def test_a_released_file_is_claimed_again_and_overwrites_no_newer_one(inbox):
    inbox.put("rka.csv", b"old\n", at=1)
    claimed = inbox.settled()
    inbox.put("rka.csv", b"new\n", at=2)
    claimed.release()
    claimed.done()  # ended already: does nothing
    assert inbox.names() == ["rka.1.csv", "rka.csv"]
    assert inbox.settled().content == b"old\n"
    assert inbox.look().content == b"new\n"


def test_files_come_oldest_first(inbox):
    for name, at in (("b.csv", 30), ("c.csv", 10), ("a.csv", 20)):
        inbox.put(name, at=at)
    assert [claimed.name for claimed in (inbox.settled(), inbox.look(), inbox.look())] == ["c.csv", "a.csv", "b.csv"]


def test_names_that_are_not_the_feeds_are_left_alone(inbox):
    names = [".hidden.csv", "a.csv.part", "a.csv.tmp", "a.filepart", "a.csv~", "a.errors.csv", "a.xlsx"]
    for name in names:
        inbox.put(name)
    inbox.put("GOOD.CSV")
    assert inbox.settled().name == "GOOD.CSV"
    assert inbox.look(later=100) is None
    assert inbox.names() == sorted(names[1:])


def test_an_unterminated_last_line_waits_and_is_taken_in_the_end(inbox):
    inbox.put("rka.csv", b"a;b\n1;2")
    assert inbox.look() is None
    assert inbox.look(later=59.9) is None
    assert inbox.look(later=0.1).content == b"a;b\n1;2"


def test_a_json_snapshot_is_finished_by_its_bracket(tmp_path):
    inbox = Inbox(tmp_path / "drop", suffixes=(".json",))
    inbox.put("half.json", b'[{"a": 1},', at=1)
    inbox.put("whole.json", b'[{"a": 1}]\n', at=2)
    assert inbox.settled().name == "whole.json"
    assert inbox.look(later=10) is None


def test_a_file_over_the_limit_is_set_aside_unread(tmp_path):
    inbox = Inbox(tmp_path / "drop", max_bytes=10)
    inbox.put("big.csv", b"x" * 10 + b"\n")
    inbox.put("fits.csv", b"x" * 9 + b"\n")
    assert inbox.settled().name == "fits.csv"
    assert inbox.look() is None
    assert inbox.names("refused") == ["big.csv", "big.csv.report.txt"]
    assert (inbox.folder / "refused/big.csv.report.txt").read_text().startswith("file-too-large")


def test_what_a_dead_hub_left_is_taken_back_and_a_living_hubs_is_not(tmp_path):
    dead, living, heir = (Inbox(tmp_path / "drop") for _ in range(3))
    dead.put("a.csv", b"a\n", at=1)
    assert dead.settled().name == "a.csv"
    living.put("b.csv", b"b\n", at=2)
    assert living.settled().name == "b.csv"
    assert heir.settled() is None
    dead.hub.close()  # as death does: the lock goes, the file stays in the claim folder
    assert heir.settled().content == b"a\n"
    assert heir.look(later=10) is None


def test_a_claim_folder_that_is_a_link_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    inbox = Inbox(tmp_path / "drop")
    inbox.put("a.csv")
    (inbox.folder / ".claimed").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        inbox.look()
    assert list(outside.iterdir()) == []


def test_a_name_that_is_no_text_is_shown_safely(inbox):
    inbox.folder.mkdir(parents=True)
    with open(os.fsencode(inbox.folder) + b"/\xff\n.csv", "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(b"x\n")
    claimed = inbox.settled()
    assert claimed.name == "\N{REPLACEMENT CHARACTER}?.csv"
    claimed.done()
    assert os.listdir(os.fsencode(inbox.folder / "done/2026-02-03")) == [b"\xff\n.csv"]  # noqa: PTH208
