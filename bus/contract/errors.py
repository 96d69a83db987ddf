"""Refusals: what went wrong, where, and how to mend it (RFC 9457), without repeating the input's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROBLEM_BASE = "https://arus.surabaya.go.id/problems/"
"""Prefix of every problem ``type``: a stable name, not a page that must answer."""


@dataclass(frozen=True, slots=True)
class Problem:
    """``slug`` is stable and scripts rely on it; ``errors`` are per field: {"field", "english", "indonesian"}."""

    slug: str
    title: str
    status: int
    detail: str = ""
    errors: Sequence[Mapping[str, Any]] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The ``application/problem+json`` document."""
        document: dict[str, Any] = {
            "type": PROBLEM_BASE + self.slug,
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        document.update(self.more)
        return document


class Refused(Exception):
    """Raised where a request cannot be served; the edge turns it into the problem document."""

    def __init__(self, problem: Problem, retry_after: int | None = None) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem
        self.retry_after = retry_after
