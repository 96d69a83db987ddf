import pytest

from bus.contract.feed import FileRefused
from connectors.kit.table import TableSettings, decode, records, unwrapped

SETTINGS = TableSettings()


def _refusal(act):
    with pytest.raises(FileRefused) as refused:
        act()
    assert refused.value.english
    assert refused.value.indonesian
    return refused.value


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        ("é;–".encode(), "é;–", "utf-8"),
        (b"\xef\xbb\xbfa", "a", "utf-8-sig"),
        ("é;–".encode("cp1252"), "é;–", "cp1252"),
    ],
)
def test_the_encoding_is_utf8_or_cp1252(content, text, encoding):
    assert decode(content, SETTINGS) == (text, encoding)


@pytest.mark.parametrize("content", ["ab".encode("utf-16"), b"a\0b", b"\xff\xfea\0", b"PK\x03\x04\0\0"])
def test_utf16_and_binary_are_refused(content):
    assert _refusal(lambda: decode(content, SETTINGS)).code == "not-text"


def test_a_byte_without_meaning_is_refused_with_its_line():
    refused = _refusal(lambda: decode(b"a\nb\nc\x81\xe9\n", SETTINGS))
    assert (refused.code, refused.line) == ("encoding", 3)


def test_a_declared_encoding_is_not_guessed_around():
    assert _refusal(lambda: decode("é".encode("cp1252"), TableSettings(encoding="utf-8"))).code == "encoding"


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\n"])
def test_an_empty_file_is_refused(content):
    assert _refusal(lambda: decode(content, SETTINGS)).code == "empty-file"


def test_records_know_their_line_and_exact_text():
    text = 'a;b\r\n"x\ny";2\n\n5" pipa;3'
    found = list(records(text, ";", SETTINGS))
    assert [(record.line, record.cells, record.raw) for record in found] == [
        (1, ("a", "b"), "a;b\r\n"),
        (2, ("x\ny", "2"), '"x\ny";2\n'),
        (4, (), "\n"),
        (5, ('5" pipa', "3"), '5" pipa;3'),
    ]


@pytest.mark.parametrize(
    "text", ['a;b\n1;2\n"open;3\n4;5\n', 'a;b\n1;2\n"open";3 "x"\n"open"y;5\n', 'a;b\n1;2\n"x"y;5\n']
)
def test_an_unclosed_quote_is_an_error_with_its_line_and_swallows_nothing(text):
    refused = _refusal(lambda: list(records(text, ";", SETTINGS)))
    assert refused.code == "quotes"
    assert refused.line in {3, 4}


def test_a_field_over_the_readers_limit_is_refused_with_its_line():
    refused = _refusal(lambda: list(records("a;b\n" + "x" * 200_000 + ";1\n", ";", SETTINGS)))
    assert (refused.code, refused.line) == ("field-too-long", 2)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (TableSettings(max_rows=2), "too-many-rows"),
        (TableSettings(max_columns=1), "too-many-columns"),
    ],
)
def test_limits_are_refused(settings, code):
    assert _refusal(lambda: list(records("a;b\n1;2\n3;4\n", ";", settings))).code == code


def test_a_file_over_the_size_limit_is_refused():
    assert _refusal(lambda: decode(b"12345", TableSettings(max_bytes=4))).code == "file-too-large"


def test_rows_inside_one_pair_of_quotes_are_unwrapped():
    text = '"a,""b c"",,"\n"1.1,""x, y"",5,"\n'
    found = list(unwrapped(records(text, ",", SETTINGS), ",", SETTINGS))
    assert [record.cells for record in found] == [("a", "b c", "", ""), ("1.1", "x, y", "5", "")]
    assert found[1].raw == '"1.1,""x, y"",5,"\n'
