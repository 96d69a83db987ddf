from decimal import Decimal

import pytest

from bus.contract.feed import FileRefused
from connectors.kit.numbers import NumberUnread, column_forms


def _read(*cells, declared=None):
    form = column_forms({"Jumlah": cells}, declared)["Jumlah"]
    return form.label, [form.read(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cells", "label", "values"),
    [
        (["1.234.567,89", "1.234"], "indonesian", ["1234567.89", "1234"]),
        (["9296504639,00", "0", "5"], "indonesian", ["9296504639.00", "0", "5"]),
        (["817984536030.78", "-5.5", "1"], "english", ["817984536030.78", "-5.5", "1"]),
        (["(2,147,556.00)", "1,234"], "english", ["-2147556.00", "1234"]),
        (["817.984.536.030^78", "1.234"], "caret", ["817984536030.78", "1234"]),
        (["Rp 1.000,50", "Rp. 2,5"], "indonesian", ["1000.50", "2.5"]),
        (["1.234.567", "1.234"], "indonesian", ["1234567", "1234"]),
        (["0.125", "2"], "english", ["0.125", "2"]),
        (["470986518000", "0"], "plain digits", ["470986518000", "0"]),
    ],
)
def test_a_column_tells_its_own_form(cells, label, values):
    assert _read(*cells) == (label, [Decimal(value) for value in values])


@pytest.mark.parametrize("cells", [["1.234", "10.500"], ["1,234", "7"]])
def test_a_column_that_can_be_read_in_two_ways_is_refused(cells):
    with pytest.raises(FileRefused) as refused:
        column_forms({"Jumlah": cells})
    assert refused.value.code == "number-form-ambiguous"
    assert "Jumlah" in refused.value.indonesian


def test_a_declared_form_decides_what_does_not_tell():
    assert _read("1.234", declared="indonesian")[1] == [Decimal(1234)]
    assert _read("1.234", declared="english")[1] == [Decimal("1.234")]


def test_a_column_that_does_not_tell_follows_those_that_do():
    forms = column_forms({"volume": ["1.234"], "rincian": ["1.000,00"], "harga": ["5"]})
    assert forms["volume"].read("1.234") == 1234


def test_a_column_does_not_follow_columns_that_disagree():
    with pytest.raises(FileRefused):
        column_forms({"volume": ["1.234"], "a": ["1.000,00"], "b": ["1,000.00"]})


def test_a_mixed_column_is_refused_and_a_single_stray_cell_only_itself():
    with pytest.raises(FileRefused) as refused:
        column_forms({"Jumlah": ["1.234.567,89", "1,234,567.89"]})
    assert refused.value.code == "number-form-mixed"
    form = column_forms({"Jumlah": ["1.234.567,89"] * 40 + ["12.5"]})["Jumlah"]
    assert form.read("1.234.567,89") == Decimal("1234567.89")
    for cell in ("12.5", "1.234"):
        with pytest.raises(NumberUnread):
            form.read(cell)


@pytest.mark.parametrize(
    "cell", ["", "-", "abc", "1 234", "12.34.56", "1e5", "-2.61E+11", "NaN", "٣", "9" * 61, "=1+1"]
)
def test_what_is_no_number_is_refused_without_repeating_it(cell):
    form = column_forms({"Jumlah": ["1.000,00"]})["Jumlah"]
    with pytest.raises(NumberUnread) as refused:
        form.read(cell)
    if len(cell) > 4:
        assert cell not in refused.value.english + refused.value.indonesian


def test_lost_digits_are_named():
    form = column_forms({"Jumlah": ["1.000,00"]})["Jumlah"]
    with pytest.raises(NumberUnread, match="scientific notation"):
        form.read("-2.61E+11")


def test_money_has_at_most_two_decimals_and_a_volume_may_have_more():
    form = column_forms({"Jumlah": ["1.000,00"]})["Jumlah"]
    assert form.read("1,005") == Decimal("1.005")
    assert form.read_money("1,500") == Decimal("1.5")
    with pytest.raises(NumberUnread, match="two decimals"):
        form.read_money("1,005")
    assert not form.read_money("-0,00").is_signed()
