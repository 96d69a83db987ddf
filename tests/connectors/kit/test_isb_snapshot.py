from decimal import Decimal

import pytest

from bus.contract.feed import FileRefused
from connectors.kit.isb_snapshot import read_snapshot


def _rows(text):
    return read_snapshot(text.encode(), "x").rows


def _code(content):
    with pytest.raises(FileRefused) as refused:
        read_snapshot(content, "x")
    return refused.value.code


def test_json_rows_are_exact_and_keep_their_text():
    text = '\ufeff[\n {"a": 12345678901234567890, "b": 0.10, "c": null},\n {"a": "x"}\n]\n'
    first, second = _rows(text)
    assert first.values == {"a": 12345678901234567890, "b": Decimal("0.10"), "c": None}
    assert str(first.values["b"]) == "0.10"
    assert first.raw == '{"a": 12345678901234567890, "b": 0.10, "c": null}'
    assert (second.number, second.line, second.raw) == (2, 2, '{"a": "x"}')


@pytest.mark.parametrize(
    "bad", ['{"a": 1, "a": 2}', '{"a": [1]}', '{"a": {"b": 1}}', '{"a": "\\ud800"}', '{"\\ud800": 1}', "5"]
)
def test_a_bad_row_is_refused_alone(bad):
    good, refused, also_good = _rows(f'[{{"a": 1}}, {bad}, {{"a": 2}}]')
    assert (good.problems, also_good.problems) == ((), ())
    assert refused.problems[0].english
    assert refused.problems[0].indonesian


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", "empty-file"),
        ("", "empty-file"),
        ('{"a": 1}', "not-json"),
        ('[{"a": 1}', "not-json"),
        ('[{"a": 1},]', "not-json"),
        ('[{"a": NaN}]', "not-json"),
        ('[{"a": 1}] x', "not-json"),
        ('[{"a": 1} {"a": 2}]', "not-json"),
        ('[{"a": ' + "9" * 5000 + "}]", "not-json"),
        ('[{"a": ' + "[" * 100_000, "too-deep"),
        ("a;b\n", "empty-file"),
        ("hanya teks\n", "no-header"),
    ],
)
def test_a_file_that_is_no_snapshot_is_refused_whole(text, code):
    assert _code(text.encode()) == code


def test_json_that_is_not_utf8_is_refused():
    assert _code('[{"a": "é"}]'.encode("cp1252")) == "encoding"
    assert _code('[{"a": 1}]'.encode("utf-16")) == "not-text"


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_csv_of_the_same_rows_is_text_and_null(delimiter):
    text = f'kd_x{delimiter}nama\n1{delimiter}"a{delimiter}b"\n\n2{delimiter}\n'
    reading = read_snapshot(text.encode(), "x")
    assert [row.values for row in reading.rows] == [
        {"kd_x": "1", "nama": f"a{delimiter}b"},
        {"kd_x": "2", "nama": None},
    ]
    assert [row.line for row in reading.rows] == [2, 4]
    assert reading.rows[0].raw == f'1{delimiter}"a{delimiter}b"\n'


def test_a_csv_row_of_another_width_is_refused_alone():
    good, bad = _rows("a,b\n1,2\n1,2,3\n")
    assert good.problems == ()
    assert "3 columns" in bad.problems[0].english
