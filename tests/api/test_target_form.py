"""Whatever form a route makes, a person can look at it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from pydantic import BaseModel, Field

from bus.contract.message import Message
from bus.contract.route import Route
from bus.engine.routing import Routing
from bus.entrypoints.target_form import with_targets


class Form(BaseModel):
    amount: Decimal = Field(alias="Jumlah")


@dataclass
class Row:
    cells: tuple[Any, ...]


def target(form: Any, op: str = "upsert", route: str = "r") -> tuple[Any, str | None]:
    def encode(_data: Any) -> Any:
        if isinstance(form, Exception):
            raise form
        return form

    message = Message("1", "/systems/a", "t", "k", datetime(2026, 1, 1, tzinfo=UTC), op, {"a": 1})
    story: dict[str, Any] = {"deliveries": [{"route": route, "sequence": "3"}]}
    (told,) = with_targets(Routing([Route("r", "t", "d", encode)]), message, story)["deliveries"]
    return told["target"], told["target_error"]


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"a": [1, None, True, 1.5]}, {"a": [1, None, True, 1.5]}),
        (Form(Jumlah=Decimal("1.50")), {"Jumlah": "1.50"}),
        (Row((Decimal("2.00"), b"\xc3\xa9")), {"cells": ["2.00", "\u00e9"]}),
        (etree.fromstring("<a><b/></a>"), "<a>\n  <b/>\n</a>\n"),
        ("text", "text"),
    ],
)
def test_forms(form: Any, shown: Any) -> None:
    assert target(form) == (shown, None)


def test_a_mapping_that_fails_is_told_without_its_words() -> None:
    assert target(ValueError("secret")) == (None, "the mapping fails: ValueError")


def test_a_deletion_has_no_form_and_a_subscription_has_the_event() -> None:
    assert target({}, op="delete") == (None, None)
    shown, _ = target({}, route="subscription")
    assert (shown["id"], shown["sequence"], shown["data"]) == ("1", "3", {"a": 1})
