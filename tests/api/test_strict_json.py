"""JSON by named rules: the public corpus, and what two readers could understand in two ways."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.contract.errors import Refused
from bus.entrypoints.api.strict_json import DEEPEST, RULES, parse, parse_array


def broken(content: bytes) -> str | None:
    """The rule that the reader names, or None where it reads."""
    try:
        parse(content)
    except Refused as error:
        return error.problem.slug
    return None


def rule_of(content: bytes) -> str:
    with pytest.raises(Refused) as caught:
        parse(content)
    assert 400 <= caught.value.problem.status < 500
    return caught.value.problem.slug


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty-body"),
        (b" \n\t", "empty-body"),
        (b"{", "invalid-json"),
        (b"[1,]", "invalid-json"),
        (b"'a'", "invalid-json"),
        (b"\xef\xbb\xbf{}", "byte-order-mark"),
        ('{"a":1}'.encode("utf-16-le"), "nul-character"),
        (b'"\xc0\xaf"', "not-utf-8"),
        (b'"\xed\xa0\x80"', "not-utf-8"),
        (b'{"a":"x\\u0000y"}', "nul-character"),
        (b'{"\\u0000":1}', "nul-character"),
        (b'{"a":"\\ud800"}', "lone-surrogate"),
        (b'{"a":["\\udc00\\ud800"]}', "lone-surrogate"),
        (b'{"a":1,"a":1}', "duplicate-member"),
        (b'{"a":1,"\\u0061":1}', "duplicate-member"),
        (b'[{"a":{"b":1,"b":2}}]', "duplicate-member"),
        (b'{"a":NaN}', "not-a-number"),
        (b'{"a":-Infinity}', "not-a-number"),
        (b"[9223372036854775808]", "number-out-of-range"),
        (b"[-9223372036854775809]", "number-out-of-range"),
        (b"[" + b"9" * 5000 + b"]", "number-out-of-range"),
        (b"[1e400]", "number-out-of-range"),
        (b"[1e-400]", "number-out-of-range"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "too-deep"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "too-deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too-deep"),
    ],
)
def test_each_rule_is_named(content: bytes, rule: str) -> None:
    assert rule_of(content) == rule
    assert rule in RULES


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"[-0, -0.0, 0e5, 1E+2]", [0, -0.0, 0.0, 100.0]),
        (b"[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"[[[[" ', "[[[["),
        (b"[" * DEEPEST + b"]" * DEEPEST, json.loads("[" * DEEPEST + "]" * DEEPEST)),
        (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
    ],
)
def test_what_is_good_stays_as_it_is(content: bytes, value: object) -> None:
    assert parse(content) == value


def test_the_refusal_repeats_nothing_of_the_input() -> None:
    with pytest.raises(Refused) as caught:
        parse(b'{"nik":"3578012345678901", "nik":"3578012345678901", x}')
    assert "3578" not in json.dumps(caught.value.problem.document())


def test_the_corpus(shared_data: Path) -> None:
    """Every ``n_`` is refused; every ``y_`` is read as Python reads it, or refused for a named rule."""
    folder = shared_data / "corpora" / "json-test-suite" / "test_parsing"
    refused = sorted(folder.glob("n_*"))
    assert len(refused) > 150
    for path in refused:
        rule_of(path.read_bytes())
    read = 0
    for path in sorted(folder.glob("y_*")):
        content = path.read_bytes()
        rule = broken(content)
        assert rule in {None, "duplicate-member", "nul-character", "lone-surrogate"}, path.name
        if rule is None:
            assert parse(content) == json.loads(content), path.name
            read += 1
    assert read > 85
    for path in folder.glob("i_*"):  # implementations may differ: here each is read or refused, never more
        assert broken(path.read_bytes()) in {None, *RULES}


def test_an_array_keeps_its_good_elements() -> None:
    elements = parse_array(b' [ {"a":1} , {"a":1,"a":2}, [NaN], "\\ud800", {"b":[[2]]} ] ')
    assert [element.broken for element in elements] == [
        None,
        "duplicate-member",
        "not-a-number",
        "lone-surrogate",
        None,
    ]
    assert elements[0].raw == b'{"a":1}'
    assert elements[4].value == {"b": [[2]]}
    assert parse_array(b"[]") == []


@pytest.mark.parametrize("content", [b"{}", b"[", b"[1", b"[1,", b"[1,]", b"[1 2]", b"[1]]", b"[] x", b"", b"1"])
def test_what_is_no_array_is_refused_whole(content: bytes) -> None:
    with pytest.raises(Refused):
        parse_array(content)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values, st.booleans())
def test_every_ordinary_value_comes_back(value: object, ascii_only: bool) -> None:
    content = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert parse(content) == value
    elements = parse_array(b"[" + content + b"," + content + b"]")
    assert [element.value for element in elements] == [value, value]
    assert all(element.broken is None for element in elements)


@given(st.binary(max_size=60))
def test_no_bytes_make_anything_but_a_value_or_a_refusal(content: bytes) -> None:
    assert broken(content) in {None, *RULES}
    with contextlib.suppress(Refused):
        parse_array(content)
