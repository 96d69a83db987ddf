"""JSON as RFC 8259 and I-JSON have it, and nothing that two readers could understand in two ways.

Python's own reader keeps the last of two members with one name, takes NaN and lone surrogates, and dies of deep
nesting. Here each of these is refused by a named rule; the refusal says where, and never repeats the input.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bus.contract.errors import Problem, Refused

DEEPEST = 64
"""Levels of arrays and objects within each other."""

_LARGEST = 2**63 - 1
_SMALLEST = -(2**63)
_BOM = b"\xef\xbb\xbf"
_BLANKS = " \t\n\r"

_RULES: dict[str, tuple[int, str, str]] = {
    "invalid-json": (400, "Not JSON", "the text is not JSON"),
    "empty-body": (400, "Nothing sent", "a JSON text is expected, and nothing was sent"),
    "not-utf-8": (400, "Not UTF-8", "JSON is sent in UTF-8, every character in its shortest form"),
    "byte-order-mark": (400, "Byte order mark", "JSON is sent in UTF-8 without a byte order mark"),
    "nul-character": (422, "NUL character", "no text may hold the character NUL (U+0000)"),
    "duplicate-member": (422, "Duplicate member", "an object has two members of one name: send each name once"),
    "not-a-number": (400, "Not a JSON number", "NaN and Infinity are not JSON; leave the member out"),
    "lone-surrogate": (422, "Broken character", "a text holds half of a surrogate pair"),
    "too-deep": (422, "Nested too deep", f"arrays and objects stand at most {DEEPEST} deep within each other"),
    "number-out-of-range": (
        422,
        "Number out of range",
        "an integer fits in 64 bits, other numbers in a double; money is a string with two decimals",
    ),
}
"""Slug -> status, title, how to mend it."""

RULES = frozenset(_RULES)


def refusal(rule: str, where: str = "") -> Refused:
    """The refusal by a named rule; ``where`` tells the place, never the value."""
    status, title, detail = _RULES[rule]
    return Refused(Problem(rule, title, status, f"{detail} ({where})" if where else detail))


def parse(content: bytes) -> Any:
    """The value of one JSON text. Raises Refused."""
    text = _text(content)
    try:
        value = _RAISING.decode(text)
    except json.JSONDecodeError as error:
        raise refusal("invalid-json", f"line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise refusal("too-deep") from None
    broken = _broken(value, content.count(b"[") + content.count(b"{"), b"\\u" in content)
    if broken:
        raise refusal(broken)
    return value


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an array: its value, its own text, and the rule it breaks, if any."""

    value: Any
    raw: bytes
    broken: str | None = None


def parse_array(content: bytes) -> list[Element]:
    """The elements of a JSON array, each judged by itself.

    Raises Refused where the text as a whole is not a JSON array; what makes only one element bad stands in it.
    """
    text = _text(content)
    notes = _Notes()
    position = _skip(text, 0)
    if text[position : position + 1] != "[":
        raise refusal("invalid-json", "a batch is a JSON array")
    position = _skip(text, position + 1)
    elements: list[Element] = []
    if text[position : position + 1] != "]":
        while True:
            element, position = _element(text, position, notes)
            elements.append(element)
            mark = text[position : position + 1]
            position = _skip(text, position + 1)
            if mark == "]":
                break
            if mark != ",":
                raise refusal("invalid-json", f"after element {len(elements)} of the batch")
    else:
        position = _skip(text, position + 1)
    if position != len(text):
        raise refusal("invalid-json", "something follows the batch")
    return elements


def _element(text: str, start: int, notes: _Notes) -> tuple[Element, int]:
    notes.rules.clear()
    try:
        value, end = notes.decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise refusal("invalid-json", f"line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise refusal("too-deep") from None
    own = text[start:end]
    rule = notes.rules[0] if notes.rules else _broken(value, own.count("[") + own.count("{"), "\\u" in own)
    return Element(value, own.encode(), rule), _skip(text, end)


def _skip(text: str, position: int) -> int:
    while text[position : position + 1] and text[position] in _BLANKS:
        position += 1
    return position


def _text(content: bytes) -> str:
    if content.startswith(_BOM):
        raise refusal("byte-order-mark")
    if b"\x00" in content:
        raise refusal("nul-character")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal("not-utf-8", f"at byte {error.start + 1}") from None
    if not text.strip(_BLANKS):
        raise refusal("empty-body")
    return text


def _broken(value: Any, openers: int, escapes: bool) -> str | None:
    """The rule that ``value`` breaks in a way that the reader does not see.

    Only what has many brackets can be deep, and only what has escapes can hold NUL or half a pair: the usual
    message is not walked at all.
    """
    if openers <= DEEPEST and not escapes:
        return None
    level: list[Any] = [value]
    depth = 0
    while level:
        below: list[Any] = []
        for part in level:
            if isinstance(part, str):
                rule = _broken_text(part) if escapes else None
                if rule:
                    return rule
            elif isinstance(part, dict):
                below.extend(part.values())
                below.extend(part)
            elif isinstance(part, list):
                below.extend(part)
        depth += any(isinstance(part, dict | list) for part in level)
        if depth > DEEPEST:
            return "too-deep"
        level = below
    return None


_SURROGATE = re.compile("[\ud800-\udfff]")


def _broken_text(text: str) -> str | None:
    if "\x00" in text:
        return "nul-character"
    return "lone-surrogate" if _SURROGATE.search(text) else None


def _decoder(note: Callable[[str], None]) -> json.JSONDecoder:
    """A reader that tells ``note`` of each broken rule."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            note("duplicate-member")
        return found

    def integer(digits: str) -> int:
        if len(digits) < 19:
            return int(digits)
        if len(digits) > 20 or not _SMALLEST <= int(digits) <= _LARGEST:
            note("number-out-of-range")
            return 0
        return int(digits)

    def real(digits: str) -> float:
        number = float(digits)
        if math.isinf(number) or (number == 0 and re.search("[1-9]", re.split("[eE]", digits)[0])):
            note("number-out-of-range")
        return number

    def constant(_name: str) -> None:
        note("not-a-number")

    return json.JSONDecoder(object_pairs_hook=members, parse_int=integer, parse_float=real, parse_constant=constant)


def _raise(rule: str) -> None:
    raise refusal(rule)


_RAISING = _decoder(_raise)


@dataclass(slots=True)
class _Notes:
    """A reader that goes on after a broken rule, so that the elements behind it are still read."""

    rules: list[str] = field(default_factory=list)
    decoder: json.JSONDecoder = field(init=False)

    def __post_init__(self) -> None:
        self.decoder = _decoder(self.rules.append)
