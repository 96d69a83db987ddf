"""Refusals in two languages that never repeat the value."""

import ast
import inspect
from decimal import Decimal
from pathlib import Path
from typing import Literal, get_args

import pytest
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails, core_schema

from mappings import phrases
from mappings.canonical import MODELS, BudgetLine, Contract, Tender
from mappings.canonical import fields as canonical_fields
from mappings.errors import FieldError
from mappings.problems import Problem, problems

SECRET = "3578010101010001"


def _problems_of(model: type[BaseModel], data: object) -> tuple[Problem, ...]:
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(data)
    return problems(refusal.value)


def test_a_field_error_keeps_its_two_languages():
    error = FieldError("nilai", "too much", "terlalu banyak")
    assert str(error) == "too much"
    assert problems(error) == (Problem("nilai", "too much", "terlalu banyak"),)


def test_another_value_error_says_nothing_of_the_value():
    assert problems(ValueError(SECRET)) == (Problem("", "the value cannot be read", "nilai tidak dapat dibaca"),)


def test_a_missing_field_is_required():
    found = _problems_of(BudgetLine, {key: value for key, value in BudgetLine.EXAMPLE.items() if key != "amount"})
    assert found == (Problem("amount", "this field is required", "wajib diisi"),)


def test_all_problems_of_a_record_are_told_at_once():
    found = _problems_of(
        BudgetLine,
        {**BudgetLine.EXAMPLE, "amount": 1, "fiscal_year": 1999, "agency": SECRET, "stage": SECRET, "nik": "x"},
    )
    assert {problem.field: problem.indonesian for problem in found} == {
        "fiscal_year": "paling kecil 2000",
        "agency": "harus kode OPD 22 karakter, misalnya 1.02.0.00.0.00.02.0000",
        "amount": 'nilai uang ditulis sebagai teks dengan dua desimal, misalnya "1250000000.00"',
        "stage": "harus salah satu dari 'rka', 'rapbd', 'dpa', 'pergeseran' or 'perubahan'",
        "nik": "isian ini tidak dikenal; hapus isian ini",
    }


def test_an_entry_of_a_list_is_named_by_its_place():
    found = _problems_of(Tender, {**Tender.EXAMPLE, "rup_codes": ["55901309", SECRET * 2]})
    assert [problem.field for problem in found] == ["rup_codes.1"]


def test_a_hostile_field_name_is_shown_short_and_plain():
    (problem,) = _problems_of(BudgetLine, {**BudgetLine.EXAMPLE, "\x1b[31m" + "x" * 5000: 1})
    assert problem.field.startswith("?[31mxxx")
    assert len(problem.field) <= 81


def test_a_calendar_day_that_is_none_has_its_own_sentence():
    (problem,) = _problems_of(Tender, {**Tender.EXAMPLE, "announced_at": "2026-02-30T08:00:00+07:00"})
    assert problem.indonesian == "tanggal atau jam itu tidak ada dalam kalender"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.TYPE)
@pytest.mark.parametrize(
    "junk",
    [
        SECRET,
        int(SECRET),
        Decimal(SECRET),
        [SECRET],
        {SECRET: SECRET},
        SECRET + "\x00",
        None,
        True,
        b"3578010101010001",
    ],
)
def test_no_problem_of_any_model_repeats_its_input(model: type[BaseModel], junk: object):
    try:
        model.model_validate(dict.fromkeys(model.model_fields, junk))
    except ValidationError as error:
        found = problems(error)
    else:
        pytest.fail("junk in every field was accepted")
    assert not [problem for problem in found if SECRET in problem.english + problem.indonesian]
    assert all(problem.english and problem.indonesian and problem.english != problem.indonesian for problem in found)


def test_every_message_of_the_canonical_fields_is_translated():
    """A new message in mappings/canonical/fields.py needs its sentence in mappings/phrases.py."""
    tree = ast.parse(Path(inspect.getfile(canonical_fields)).read_text("utf-8"))
    messages = [
        argument.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "ValueError"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]
    assert len(messages) > 8
    assert [message for message in messages if message not in phrases.BY_MESSAGE] == []


def test_every_pattern_of_a_canonical_field_is_explained():
    patterns = {
        error["ctx"]["pattern"]
        for model in MODELS
        for error in _errors(model)
        if error["type"] == "string_pattern_mismatch"
    }
    assert len(patterns) >= 4
    # A document line's code and account are numbers of the older chart, told by the general sentence.
    assert {pattern for pattern in patterns if pattern not in phrases.BY_PATTERN} <= {
        r"^([0-9]{1,5}(\.[0-9]{1,5})*)?$",
        r"^([0-9]{1,5}(\.[0-9]{1,5}){0,4})?$",
    }


def _errors(model: type[BaseModel]) -> list[ErrorDetails]:
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(dict.fromkeys(model.model_fields, "?"))
    return refusal.value.errors()


def test_every_error_type_in_the_table_exists_in_pydantic():
    assert set(phrases.BY_TYPE) <= set(get_args(core_schema.ErrorType))


def test_an_error_type_that_the_table_lacks_still_has_two_languages():
    class WithUrl(BaseModel):
        age: float = Field(allow_inf_nan=False)
        kind: Literal["a"]

    found = _problems_of(WithUrl, {"age": float("nan"), "kind": SECRET})
    assert found[0] == Problem("age", "the value cannot be read", "nilai tidak dapat dibaca")


def test_sentences_in_both_languages_name_the_same_limits():
    for english, indonesian in (*phrases.BY_TYPE.values(), *phrases.BY_PATTERN.values(), *phrases.BY_MESSAGE.values()):
        assert english.count("{") == indonesian.count("{")


def test_a_lone_surrogate_is_named_as_bad_unicode():
    (problem,) = _problems_of(Contract, {**Contract.EXAMPLE, "name": "a\ud800"})
    assert problem == Problem("name", "the text is not valid Unicode", "teks bukan Unicode yang sah")
