import csv
import io

from bus.contract.feed import FieldProblem, Reading, Row
from connectors.e_budgeting import apbd, rka
from connectors.kit.errors_csv import errors_csv

RKA = (
    "Judul;RKA\nDaerah;Kota Surabaya\nTahun;2026\n"
    "kode_skpd;kode_sub_giat;kode_akun;nama_akun;rincian\n"
    "1.03.0.00.0.00.01.0000;1.03.10.2.01.0029;5.1.02.01.01.0024;=Bahan;1.000,00\n"
    "1.03.0.00.0.00.01.0000;1.03.10.2.01.0029;5.1.02.01.01.0025;=CMD();tidak tahu\n"
)


def _table(content, delimiter=";"):
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def _refused(reading):
    return {row.number: row.problems for row in reading.rows if row.problems}


def test_refused_rows_keep_their_cells_and_say_where_and_why():
    reading = rka.read(RKA.encode(), "rka.csv")
    table = _table(errors_csv(reading, _refused(reading)))
    assert table[:3] == [["Judul", "RKA"], ["Daerah", "Kota Surabaya"], ["Tahun", "2026"]]
    assert table[3][-4:] == ["baris", "kolom", "alasan", "reason"]
    (row,) = table[4:]
    assert row[:5] == ["1.03.0.00.0.00.01.0000", "1.03.10.2.01.0029", "5.1.02.01.01.0025", "=CMD()", "tidak tahu"]
    assert row[5:7] == ["6", "rincian"]
    assert "bukan angka" in row[7]
    assert "no number" in row[8]


def test_the_added_texts_are_no_formulas():
    reading = rka.read(RKA.encode(), "rka.csv")
    problem = FieldProblem("x", "@sum", "=1+1", "+kolom")
    (row,) = _table(errors_csv(reading, {2: [problem]}))[4:]
    assert row[5:] == ["6", "'+kolom", "'=1+1", "'@sum"]
    assert row[3] == "=CMD()"


def test_a_mended_errors_file_is_read_back_as_rows_alone():
    reading = rka.read(RKA.encode(), "rka.csv")
    mended = errors_csv(reading, _refused(reading)).replace(b"tidak tahu", b"2.000,00")
    again = rka.read(mended, "rka-2.csv")
    assert again.dialect["extent"] == "mended rows"
    assert not again.whole
    assert [(row.values["amount"], row.problems) for row in again.rows] == [("2000.00", ())]
    assert "extent" not in reading.dialect


def test_an_errors_file_of_an_errors_file_has_the_columns_once():
    reading = rka.read(RKA.encode(), "rka.csv")
    first = errors_csv(reading, _refused(reading))
    again = rka.read(first, "rka-2.csv")
    second = _table(errors_csv(again, {1: reading.rows[1].problems}))
    assert [row[:5] for row in second] == [row[:5] for row in _table(first)]
    assert second[3] == _table(first)[3]


APBD = (
    "Judul,APBD\nDaerah,Kota X\nTahun,2015\nKode Organisasi,1.03\n"
    "Kode Rekening,Uraian,Jumlah,Keterangan\n"
    '5,BELANJA,"10,00",\n'
    "5.1,Pegawai,sepuluh,satu\n,,,dua\n"
    '1.2,Urusan,"10,00",\n'
)


def test_a_budget_line_takes_its_continuation_along_and_its_place_in_the_document():
    reading = apbd.read(APBD.encode(), "apbd.csv")
    content = errors_csv(reading, _refused(reading))
    table = _table(content, ",")
    assert table[4][-1] == "daun"
    assert [row[-1] for row in (table[5], table[7])] == ["ya", ""]
    assert table[6][3] == "dua"
    again = apbd.read(content.replace(b"sepuluh", b'"10,00"').replace(b"1.2,Urusan", b"1.20,Urusan"), "x.csv")
    leaf, unknown = again.rows
    assert (leaf.values["leaf"], leaf.values["note"], leaf.problems) == (True, "satu\ndua", ())
    assert [problem.field for problem in unknown.problems] == ["leaf"]


def test_rows_of_a_json_snapshot_become_a_table_of_their_members():
    rows = [Row(1, 1, {"a": 1, "b": None}, "{}"), Row(2, 2, {"a": "x,y", "c": True}, "{}")]
    table = _table(errors_csv(Reading(rows), {2: [FieldProblem("a", "e", "i")], 1: [FieldProblem("b", "e", "i")]}), ",")
    assert table[0] == ["a", "b", "c", "baris", "kolom", "alasan", "reason"]
    assert table[1][:3] == ["1", "", ""]
    assert table[2] == ["x,y", "", "True", "2", "a", "i", "e"]
