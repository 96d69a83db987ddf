"""Joins mappings with the contract: canonical models to data and back, their refusals to row problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bus.contract.feed import FieldProblem, Record, RowRefused
from mappings.canonical import Canonical
from mappings.problems import problems

Model = TypeVar("Model", bound=Canonical)


def record_of(model: Canonical) -> Record:
    """A canonical model as the engine stores it."""
    return Record(model.TYPE, model.subject, model.to_data(), model.agency_code)


def refusal(error: ValueError) -> RowRefused:
    """The mapping's reasons as the hub keeps them."""
    return RowRefused([FieldProblem(one.field, one.english, one.indonesian) for one in problems(error)])


def decoding(to_canonical: Callable[[Mapping[str, Any]], Canonical]) -> Callable[[Mapping[str, Any]], Record]:
    """A feed's mapping as ``Feed.decode``."""

    def decode(values: Mapping[str, Any]) -> Record:
        try:
            return record_of(to_canonical(values))
        except ValueError as error:
            raise refusal(error) from error

    return decode


def encoding(model: type[Model], form: Callable[[Model], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """A target form as ``Route.encode``."""

    def encode(data: Mapping[str, Any]) -> Any:
        return form(model.from_data(dict(data)))

    return encode
