import pytest

from bus.contract.feed import FileRefused
from connectors.e_budgeting import apbd
from connectors.e_budgeting.code_tree import CodeUnread, code_segments
from connectors.kit.table import TableSettings

ABOVE = "Judul;Penjabaran APBD\nDaerah;Kota X\nTahun;2015\nKode Organisasi;1.03.01.\nNama Organsisasi;Dinas PU\n"
HEADER = "No. Rekening;Uraian;Jumlah;Keterangan\n"


def _read(body, above=ABOVE, header=HEADER, settings=None):
    return apbd.read((above + header + body).encode(), "x.csv", settings)


def _refusal(*args, **more):
    with pytest.raises(FileRefused) as refused:
        _read(*args, **more)
    return refused.value


def test_a_line_carries_its_document_and_what_its_neighbours_tell():
    reading = _read(
        "1.03 . 1.03.01 . 00.00 . 5 ;BELANJA ;1.000,50;\n1.03 . 1.03.01 . 00.00 . 5.1. ;Pegawai;1.000,50;Gaji\n"
    )
    parent, leaf = (row.values for row in reading.rows)
    assert {name: parent[name] for name in ("region", "fiscal_year", "organisation", "document")} == {
        "region": "Kota X",
        "fiscal_year": "2015",
        "organisation": "1.03.01",
        "document": "Penjabaran APBD",
    }
    assert (parent["code"], parent["level"], parent["leaf"]) == ("1.3.1.3.1.0.0.5", 8, False)
    assert (leaf["code"], leaf["level"], leaf["leaf"]) == ("1.3.1.3.1.0.0.5.1", 9, True)
    assert leaf["raw_code"] == "1.03 . 1.03.01 . 00.00 . 5.1."
    assert (leaf["amount"], leaf["note"]) == ("1000.50", "Gaji")
    assert reading.dialect == {
        "encoding": "utf-8",
        "delimiter": "semicolon",
        "header_line": "6",
        "amount_column": "Jumlah",
        "number_form": "indonesian",
    }


def test_a_record_without_code_and_amount_continues_the_row_above():
    reading = _read(
        '5.1;Pegawai;10,00;satu\n;;;"dua;2"\n\n;;;\n"Bantul, 30 Desember 2014";;;\nBUPATI\n;SURPLUS;-5,00;\n'
    )
    first, total = reading.rows
    assert first.values["note"] == "satu\ndua;2\nBantul, 30 Desember 2014\nBUPATI"
    assert first.raw == '5.1;Pegawai;10,00;satu\n;;;"dua;2"\n"Bantul, 30 Desember 2014";;;\nBUPATI\n'
    assert (total.line, total.values["code"], total.values["leaf"], total.values["amount"]) == (13, "", False, "-5.00")


def test_text_before_the_first_row_is_refused_and_not_lost():
    first, _ = _read(";;;catatan\n5.1;Pegawai;10,00;\n").rows
    assert [problem.field for problem in first.problems] == ["code"]


@pytest.mark.parametrize(
    ("row", "field", "column"),
    [
        ("5.1;Pegawai;sepuluh;", "amount", "Jumlah"),
        ("5.1;Pegawai;-2.61E+11;", "amount", "Jumlah"),
        ("1 06.1;Pegawai;10,00;", "code", "No. Rekening"),
        ("1.2;Urusan;10,00;", "code", "No. Rekening"),
        ("5.1.a;Pegawai;10,00;", "code", "No. Rekening"),
        ("JUMLAH;;10,00;", "code", "No. Rekening"),
        ("5.1;Pegawai;1;000;00", "columns", None),
        ("5.1;Pegawai", "columns", None),
    ],
)
def test_a_bad_row_is_refused_with_line_and_column_and_the_good_ones_go_on(row, field, column):
    bad, good = _read(row + "\n5.2;Barang;10,00;\n").rows
    assert good.problems == ()
    problem = bad.problems[0]
    assert (bad.line, problem.field, problem.column) == (7, field, column)
    assert problem.english != problem.indonesian


def test_the_amount_after_the_revision_counts():
    reading = _read(
        "5.1;Pegawai;1.000,00;2.000,00;1.000,00;100;\n",
        header="No. Rekening;Uraian;Sebelum;Sesudah;Angka;Prosentase;Keterangan\n",
    )
    assert (reading.rows[0].values["amount"], reading.rows[0].values["amount_before"]) == ("2000.00", "1000.00")


def test_a_header_of_several_lines_is_read_from_the_top():
    header = (
        "Kode;Urusan Pemerintahan Daerah;Pendapatan;;Belanja;;;\n"
        ";;Sebelum Perubahan;Setelah Perubahan;Sebelum Perubahan;;Setelah Perubahan;\n"
        ";;;;Langsung;Jumlah Belanja;Langsung;Jumlah Belanja\n"
    )
    reading = _read("1;Urusan Wajib;1,00;2,00;3,00;4,00;5,00;6,00\n", header=header)
    assert (reading.rows[0].values["amount"], reading.rows[0].values["amount_before"]) == ("6.00", "4.00")
    assert reading.dialect["amount_column"] == "Belanja / Setelah Perubahan / Jumlah Belanja"


@pytest.mark.parametrize("missing", ["Judul;Penjabaran APBD\n", "Daerah;Kota X\n", "Tahun;2015\n"])
def test_a_document_without_its_identity_is_refused(missing):
    refused = _refusal("5.1;Pegawai;10,00;\n", above=ABOVE.replace(missing, ""))
    assert refused.code == "metadata"
    assert missing.partition(";")[0] in refused.indonesian


def test_an_organisation_may_be_named_instead_of_coded():
    reading = _read("5.1;Pegawai;10,00;\n", above=ABOVE.replace("Kode Organisasi;1.03.01.\n", ""))
    assert reading.rows[0].values["organisation"] == "Dinas PU"


@pytest.mark.parametrize(
    ("body", "header", "code"),
    [
        ("5.1;Pegawai;10,00;\n", "Kolom A;Kolom B\n", "no-header"),
        ("5.1;Pegawai;10,00;\n", "No. Rekening;Uraian;Keterangan\n", "no-amount"),
        ("5.1;Pegawai;10,00;1\n", "No. Rekening;Uraian;Jumlah;Jumlah\n", "header"),
        ("", HEADER, "empty-file"),
        ("5.1;Pegawai;1.234;\n5.2;Barang;2.500;\n", HEADER, "number-form-ambiguous"),
        ('5.1;"Pegawai;10,00;\n5.2;Barang;2.500;\n', HEADER, "quotes"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(body, header, code):
    assert _refusal(body, header=header).code == code


def test_what_is_declared_is_not_detected():
    ambiguous = "5.1;Pegawai;1.234;\n"
    assert _read(ambiguous, settings=TableSettings(number_form="indonesian")).rows[0].values["amount"] == "1234"
    assert _refusal(ambiguous, settings=TableSettings(delimiter=",")).code == "no-header"


@pytest.mark.parametrize(
    ("printed", "segments"),
    [
        ("1.03 . 1.03.01 . 00.00 . 5.1. ", (1, 3, 1, 3, 1, 0, 0, 5, 1)),
        ("4.1.4. 5.18. ", (4, 1, 4, 5, 18)),
        ("", ()),
        ("1.10", (1, 10)),
        ("5.1", (5, 1)),
    ],
)
def test_codes_become_integers(printed, segments):
    assert code_segments(printed) == segments


@pytest.mark.parametrize(
    "printed", ["1 06.1", "1..2", ".1", "1.x", "1.2", "2.9.", "123456.1", ".".join("1" * 21), "١.2"]
)
def test_what_is_no_code_is_refused(printed):
    with pytest.raises(CodeUnread):
        code_segments(printed)


def test_a_fault_far_down_is_reported_where_it_is_and_not_where_a_wrong_delimiter_breaks():
    quoted = (
        '"Judul","APBD"\n"Daerah","Kota X"\n"Tahun",2015\n"Kode Organisasi","1"\n"Kode","Uraian","Jumlah"\n"5","x",1\n'
    )
    with pytest.raises(FileRefused) as refused:
        apbd.read((quoted + '"5.1","open,2\n').encode(), "x.csv")
    assert (refused.value.code, refused.value.line) == ("quotes", 7)
