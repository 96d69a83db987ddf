"""Turn what a mapping raises into bilingual problems that a clerk can act on; the refused value is never repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .errors import FieldError
from .phrases import BY_MESSAGE, BY_PATTERN, BY_TYPE, UNREADABLE, Phrase

_LONGEST_NAME = 80


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one field; ``field`` is empty when the whole row is meant."""

    field: str
    english: str
    indonesian: str


def problems(error: ValueError) -> tuple[Problem, ...]:
    """Every problem behind a ``ValueError`` of a mapping, in the order of the fields; at least one."""
    if isinstance(error, FieldError):
        return (Problem(error.field, error.english, error.indonesian),)
    if isinstance(error, ValidationError):
        # The context holds the validator's own exception: it carries our two languages. Input and URL stay out.
        details = error.errors(include_url=False, include_input=False)
        return tuple(_problem(detail) for detail in details) or (Problem("", *UNREADABLE),)
    return (Problem("", *UNREADABLE),)


def _problem(detail: ErrorDetails) -> Problem:
    context: Mapping[str, Any] = detail.get("ctx", {})
    place = _place(detail["loc"])
    cause = context.get("error")
    if isinstance(cause, FieldError):
        return Problem(".".join(filter(None, (place, cause.field))), cause.english, cause.indonesian)
    return Problem(place, *_phrase(detail["type"], context, cause))


def _phrase(kind: str, context: Mapping[str, Any], cause: object) -> Phrase:
    if cause is not None:
        return BY_MESSAGE.get(str(cause), UNREADABLE)
    if kind == "string_pattern_mismatch" and context.get("pattern") in BY_PATTERN:
        return BY_PATTERN[context["pattern"]]
    english, indonesian = BY_TYPE.get(kind, UNREADABLE)
    limits = {name: value for name, value in context.items() if isinstance(value, str | int | float)}
    return english.format_map(_Limits(limits)), indonesian.format_map(_Limits(limits))


class _Limits(dict[str, Any]):
    """The limits that a sentence may name; one that pydantic did not give becomes an ellipsis."""

    def __missing__(self, key: str) -> str:
        return "…"


def _place(location: tuple[int | str, ...]) -> str:
    """``rup_codes.0`` for the first of a list. A name comes from the sender, so only plain, short ones are shown."""
    name = ".".join(str(part) for part in location)
    shown = "".join(character if character.isprintable() else "?" for character in name)
    return shown if len(shown) <= _LONGEST_NAME else shown[:_LONGEST_NAME] + "…"
