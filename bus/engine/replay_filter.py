"""Which deliveries a replay means."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, TextClause, or_

from .tables import OPEN, deliveries, messages

Condition = ColumnElement[bool] | TextClause

_NUMBERS = re.compile(r"[0-9]+")


def cause_of(reason: str | None) -> str:
    """A reason without its numbers: "gave up after 12 tries" is one cause with "gave up after 3 tries"."""
    return _NUMBERS.sub("#", reason or "")


@dataclass(frozen=True, slots=True)
class ReplayFilter:
    """``type`` short, ``source`` a system's id, ``since`` and ``until`` moments of the message's acceptance.

    ``state`` is dead, parked or delivered; None: dead and parked. ``reason`` is what a parked one waits for, or a
    cause as failures are grouped by it: numbers in it do not count. ``ids`` are deliveries.
    """

    destination: str | None = None
    type: str | None = None
    source: str | None = None
    subject: str | None = None
    state: str | None = None
    since: int | None = None
    until: int | None = None
    reason: str | None = None
    ids: tuple[str, ...] | None = None

    @property
    def empty(self) -> bool:
        return all(value is None for value in asdict(self).values())

    def text(self) -> str:
        """As it is stored, JSON."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def of(cls, text: str) -> ReplayFilter:
        stored = json.loads(text)
        if "ids" in stored:
            stored["ids"] = tuple(stored["ids"])
        return cls(**stored)

    def conditions(self) -> list[Condition]:
        """For a statement over deliveries with their messages; ``means`` must be asked of each row besides."""
        one, message = deliveries.c, messages.c
        exact = (
            (one.destination, self.destination),
            (one.type, self.type),
            (message.source, self.source),
            (one.subject, self.subject),
        )
        found: list[Condition] = [column == value for column, value in exact if value is not None]
        if self.ids is not None:
            found.append(one.id.in_(self.ids))
        else:
            found += self._in_state()
        if self.since is not None:
            found.append(message.accepted_at >= self.since)
        if self.until is not None:
            found.append(message.accepted_at < self.until)
        if self.reason is not None:
            found.append(or_(one.parked == self.reason, one.reason.like(self._pattern(), escape="\\")))
        return found

    def _in_state(self) -> list[Condition]:
        if self.state == "delivered":
            return [deliveries.c.state == "delivered"]
        # Written out, so that the databases see that the index of open deliveries serves.
        return [OPEN, deliveries.c.state.in_([self.state] if self.state else ["dead", "parked"])]

    def _pattern(self) -> str:
        escaped = re.sub(r"([\\%_])", r"\\\1", self.reason or "")
        return _NUMBERS.sub("%", escaped)

    def means(self, row: Any) -> bool:
        """Whether a row (with ``reason`` and ``parked``) that met the conditions is really meant."""
        return self.reason is None or row.parked == self.reason or cause_of(row.reason) == cause_of(self.reason)
