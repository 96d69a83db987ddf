import pytest

from bus.contract.feed import FileRefused
from connectors.e_budgeting import rka
from mappings.e_budgeting import rka as mapping

HEADER = "tahun;kode_skpd;kode_sub_giat;kode_akun;volume;satuan;harga_satuan;rincian;rincian_murni;nama_dana;tahap\n"
ROW = "2026;1.03.0.00.0.00.01.0000;1.03.10.2.01.0029;5.1.2.1.1.24;12,5;km;100.000,00;1.250.000,00;;PAD;DPA\n"


def _rows(text):
    return rka.read(text.encode(), "x.csv").rows


def _data(text):
    return [mapping.to_canonical(row.values).to_data() for row in _rows(text)]


def test_names_order_delimiter_and_numbers_may_vary_and_mean_the_same():
    (expected,) = _data(HEADER + ROW)
    other = (
        "Pagu,Kode Rekening,KODE_OPD,kode sub kegiatan,Vol,Satuan,Harga,Sumber Dana,Tahapan,Tahun Anggaran,Lokasi\n"
        '1250000.00,5.1.02.01.001.00024,1-03.0-00.0-00.01.0000,1.03.10.2.01.0029,12.5,km,"100,000.00",PAD,dpa,2026,X\n'
    )
    assert _data(other) == [expected]
    assert expected["amount"] == "1250000.00"
    assert expected["account"] == "5.1.02.01.01.0024"


def test_the_scope_comes_from_above_the_header_or_from_the_row():
    (row,) = _rows(HEADER + ROW)
    assert mapping.scope(row.values) == ("", "2026", "1.03.0.00.0.00.01.0000", "RKA")
    above = "Judul;RKA Perubahan\nDaerah;Kota Surabaya\nKode Organisasi;1-03.0-00.0-00.01.0000\n"
    (row,) = _rows(above + HEADER + ROW)
    assert mapping.scope(row.values) == ("Kota Surabaya", "2026", "1.03.0.00.0.00.01.0000", "RKA Perubahan")


def test_the_year_may_stand_above_but_not_differ():
    (row,) = _rows("Tahun;2026\n" + HEADER + ROW.replace("2026;", ";", 1))
    assert mapping.to_canonical(row.values).fiscal_year == 2026
    (row,) = _rows("Tahun;2025\n" + HEADER + ROW)
    assert [(problem.field, problem.column) for problem in row.problems] == [("fiscal_year", "tahun")]


def test_an_amount_that_is_not_volume_times_price_is_taken():
    (line,) = _data(HEADER + ROW.replace("1.250.000,00", "1.250.100,00"))
    assert line["amount"] == "1250100.00"


def test_a_row_that_lost_only_its_account_and_amount_is_a_bad_row_and_no_continuation():
    _, bad = _rows(HEADER + ROW + "2026;1.03.0.00.0.00.01.0000;1.03.10.2.01.0029;;;;;;;;\n")
    assert mapping.record_key(bad.values) is None
    with pytest.raises(ValueError, match="account"):
        mapping.to_canonical(bad.values)


def test_a_number_that_is_none_is_refused_in_its_column_and_still_protects_its_record():
    good, bad = _rows(HEADER + ROW + ROW.replace("1.250.000,00", "1250ribu").replace(".24;", ".25;"))
    assert good.problems == ()
    assert [(problem.field, problem.column) for problem in bad.problems] == [("amount", "rincian")]
    assert mapping.record_key(bad.values) == "2026:1.03.0.00.0.00.01.0000:1.03.10.2.01.0029:5.1.02.01.01.0025"


def test_a_file_without_the_columns_that_make_a_line_is_refused():
    with pytest.raises(FileRefused) as refused:
        _rows("tahun;kode_skpd;rincian\n2026;1;1\n")
    assert refused.value.code == "no-header"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("1.03.0.00.0.00.01.0000", "1.03.0.00.0.00.01.0000"),
        ("1-03.0-00.0-00.01.0000", "1.03.0.00.0.00.01.0000"),
        ("1.3.0.0.0.0.1.0", "1.03.0.00.0.00.01.0000"),
        ("103000000010000", "1.03.0.00.0.00.01.0000"),
        (" 5.02.0.00.0.00.01.0000 ", "5.02.0.00.0.00.01.0000"),
    ],
)
def test_an_opd_code_in_any_spelling(written, code):
    assert mapping.read_agency(written) == code


@pytest.mark.parametrize(
    "written", ["1.03.0.00.0.00.01", "03.0.00.0.00.01.0000", "1.03", "SK.05", "1.033.0.0.0.0.1.0", "1.٠3.0.0.0.0.1.0"]
)
def test_an_opd_code_with_missing_or_foreign_parts_is_refused(written):
    with pytest.raises(ValueError, match="eight segments"):
        mapping.read_agency(written)


@pytest.mark.parametrize(
    ("written", "code"), [("1.03.10.2.01.0029", "1.03.10.2.01.0029"), ("1.3.10.2.1.29", "1.03.10.2.01.29")]
)
def test_a_sub_kegiatan_in_any_spelling(written, code):
    assert mapping.read_activity(written) == code


@pytest.mark.parametrize("written", ["1.03.10.2.01.9", "1.03.10.2.01.029", "1.03.10.2.01", "X.XX.01.2.01.0001"])
def test_a_sub_kegiatan_that_may_be_two_is_refused(written):
    with pytest.raises(ValueError, match="six segments"):
        mapping.read_activity(written)


@pytest.mark.parametrize(
    ("written", "stage"),
    [("DPA", "dpa"), (" apbd  Murni", "dpa"), ("Pergeseran", "pergeseran"), ("DPPA", "perubahan"), ("", None)],
)
def test_stages(written, stage):
    assert mapping.read_stage(written) == stage
    with pytest.raises(ValueError, match="stage"):
        mapping.read_stage("entah")
