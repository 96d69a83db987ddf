"""F44, the file's side: the same bytes give the same rows; the name of a file plays no part in what it means."""

from connectors.e_budgeting import rka
from mappings.e_budgeting import rka as mapping
from tests.connectors.kit.dropping import Inbox

HEADER = "Judul;RKA\nDaerah;Kota Surabaya\ntahun;kode_skpd;kode_sub_giat;kode_akun;rincian\n"
ROW = "2026;1.03.0.00.0.00.01.0000;1.03.10.2.01.0029;5.1.02.01.01.0024;{}\n"
ONE, OTHER = ((HEADER + ROW.format(amount)).encode() for amount in ("100,00", "250,50"))


def _taken(inbox, name, content):
    inbox.put(name, content)
    claimed = inbox.settled()
    rows = rka.read(claimed.content, claimed.name).rows
    claimed.done()
    return [(mapping.scope(row.values), mapping.to_canonical(row.values).to_data()) for row in rows]


def test_same_content_again_and_under_another_name_is_the_same(tmp_path):
    inbox = Inbox(tmp_path / "drop")
    first = _taken(inbox, "a.csv", ONE)
    assert _taken(inbox, "a.csv", ONE) == first
    assert _taken(inbox, "b.csv", ONE) == first
    assert inbox.names("done/2026-02-03") == ["a.1.csv", "a.csv", "b.csv"]


def test_other_content_under_the_same_name_is_the_same_scope_with_other_lines(tmp_path):
    inbox = Inbox(tmp_path / "drop")
    ((scope, line),) = _taken(inbox, "a.csv", ONE)
    ((scope_again, line_again),) = _taken(inbox, "a.csv", OTHER)
    assert scope_again == scope
    assert (line["amount"], line_again["amount"]) == ("100.00", "250.50")
