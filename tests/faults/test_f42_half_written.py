"""F42: a half-written CSV is not taken until it is complete; a writer that was killed leaves no partial batch."""

from tests.connectors.kit.dropping import Inbox

HALF, WHOLE = b"kode;jumlah\n1;10\n2;2", b"kode;jumlah\n1;10\n2;20\n"


def test_a_writer_that_pauses_in_the_middle_of_a_line_is_waited_for(tmp_path):
    inbox = Inbox(tmp_path / "drop")
    inbox.put("rka.csv", HALF)
    assert [inbox.look(later=10) for _ in range(5)] == [None] * 5
    inbox.put("rka.csv", WHOLE)
    assert inbox.look() is None, "it has just changed"
    assert inbox.look(later=2).content == WHOLE


def test_a_writer_that_pauses_between_lines_is_waited_for_while_it_goes_on(tmp_path):
    inbox = Inbox(tmp_path / "drop")
    for length in (12, 17, 22):
        inbox.put("rka.csv", WHOLE[:length])
        assert inbox.look(later=1.5) is None
    assert inbox.look(later=2).content == WHOLE


def test_a_passing_name_is_taken_only_once_it_is_renamed(tmp_path):
    inbox = Inbox(tmp_path / "drop", settle_seconds=0)
    path = inbox.put("rka.csv.part", WHOLE)
    assert inbox.look(later=100) is None
    path.rename(inbox.folder / "rka.csv")
    assert inbox.look().content == WHOLE
