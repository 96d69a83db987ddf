"""Refused rows go back to the clerk as a file; mended, they are taken, and nothing that the file leaves out goes."""

import pytest

from bus.engine import registers
from bus.entrypoints.links import clerk_file
from tests.intake.hub import (
    APPOINTMENT,
    E_BUDGETING,
    RKA,
    SPPBJ,
    accounts,
    as_csv,
    key_of,
    letter,
    letters,
    line,
    numbers,
    rka,
)

APBD = (E_BUDGETING, "apbd")
DOCUMENT = """Judul,APBD
Daerah,Kota X
Tahun,2015
Kode Organisasi,1.03
Kode Rekening,Uraian,Jumlah,Keterangan
5,BELANJA,"60,00",
5.1,Pegawai,"10,00",
5.2,Barang,sepuluh,
5.3,Modal,"20,00",
"""


def test_rka(either_hub):
    hub = either_hub
    hub.counts(RKA, rka(line(1), line(2)), "a.csv")
    taken = hub.take(RKA, rka(line(1), line(2, "tidak tahu"), line(3, "juga tidak"), line(4)), "b.csv")
    assert (taken.counts.rejected, taken.counts.created, taken.counts.deleted) == (2, 1, 0)
    mended = clerk_file(taken).replace(b"tidak tahu", b"200,00").replace(b"juga tidak", b"300,00")
    assert hub.counts(RKA, mended, "b-2.csv") == {"rows": 2, "created": 1, "changed": 1}
    assert accounts(hub) == {1: "100.00", 2: "200.00", 3: "300.00", 4: "100.00"}


def test_rka_mended_in_part_gives_the_rest_back(hub):
    taken = hub.take(RKA, rka(line(1, "a"), line(2, "b")), "b.csv")
    again = hub.take(RKA, clerk_file(taken).replace(b";a;", b";200,00;"), "b-2.csv")
    assert (again.counts.created, again.counts.rejected) == (1, 1)
    assert hub.counts(RKA, clerk_file(again).replace(b";b;", b";300,00;"), "b-3.csv") == {"rows": 1, "created": 1}
    assert accounts(hub) == {1: "200.00", 2: "300.00"}


def test_apbd(hub):
    taken = hub.take(APBD, DOCUMENT, "apbd.csv")
    assert (taken.counts.created, taken.counts.rejected) == (3, 1)
    mended = clerk_file(taken).replace(b"sepuluh", b'"30,00"')
    assert hub.counts(APBD, mended, "apbd-2.csv") == {"rows": 1, "created": 1}
    lines = {data["code"]: (data["amount"], data["leaf"]) for data in hub.records("budget.document_line").values()}
    assert lines == {
        "5": ("60.00", False), "5.1": ("10.00", True), "5.2": ("30.00", True), "5.3": ("20.00", True),
    }  # fmt: skip
    # The whole document, mended the same way, says nothing new.
    whole = DOCUMENT.replace("sepuluh", '"30,00"')
    assert hub.counts(APBD, whole, "apbd-3.csv") == {"rows": 4, "unchanged": 4}


@pytest.mark.parametrize("form", ["json", "csv"])
def test_isb(hub, form):
    hub.counts(SPPBJ, letters(1, 2, 3))
    rows = [letter(1), letter(2, harga_final="12,5"), letter(3), letter(4, harga_final="12,5")]
    taken = hub.take(SPPBJ, rows if form == "json" else as_csv(rows), f"a.{form}")
    assert (taken.counts.rejected, taken.counts.unchanged, taken.counts.deleted) == (2, 2, 0)
    mended = clerk_file(taken).replace(b'"12,5"', b"12.50")
    assert hub.counts(SPPBJ, mended, "a-2.csv") == {"rows": 2, "created": 1, "changed": 1}
    assert numbers(hub) == [1, 2, 3, 4]
    assert [hub.records(APPOINTMENT)[key_of(number)]["final_price"] for number in (2, 4)] == ["12.50", "12.50"]


def test_what_a_mended_file_rejects_is_kept_beside_what_its_first_file_left(hub):
    taken = hub.take(SPPBJ, [letter(1, harga_final="?"), letter(2)], "a.json")
    hub.take(SPPBJ, clerk_file(taken), "a-2.csv")
    assert [row.file for row in hub.rows(registers.rejections)] == ["a.json", "a-2.csv"]
