"""Feeds: how a system's own records come in.

A feed reads bytes into rows, and turns each row into a canonical record or a refusal with its reasons. Reading is
the connector's, the meaning of a row is the mapping's; a route file joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Scope = tuple[str, ...]
"""The part of the world that one snapshot replaces, e.g. (institution, year)."""


@dataclass(frozen=True, slots=True)
class Record:
    """A canonical record as the engine stores it: short type, key, JSON-ready data, owner."""

    type: str
    subject: str
    data: Mapping[str, Any]
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One reason, in both languages, without the offending value. ``column`` is the file's own heading or number."""

    field: str
    english: str
    indonesian: str
    column: str | None = None


class RowRefused(ValueError):
    """A row that cannot become a message; the good rows go on."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.english}" for p in problems))
        self.problems = tuple(problems)


class FileRefused(ValueError):
    """A file refused whole: nothing of it was taken. ``code`` is a stable slug; the texts say how to mend it."""

    def __init__(self, code: str, english: str, indonesian: str, line: int | None = None) -> None:
        super().__init__(english)
        self.code, self.english, self.indonesian, self.line = code, english, indonesian, line


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read. ``number`` counts rows from 1, ``line`` is where it starts in the file (for JSON: the number).

    ``problems`` is set where reading already failed (a wrong count of columns): such a row becomes a rejection.
    """

    number: int
    line: int
    values: Mapping[str, Any]
    raw: str
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as read: its rows, and how it was understood (encoding, delimiter, number form), for the report.

    ``whole`` is False where the file is known to be a part (mended rows that come back): it deletes nothing.
    """

    rows: Sequence[Row]
    dialect: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed of one system.

    ``read(content, filename)`` raises FileRefused; ``decode(values)`` raises RowRefused; ``scope(values)`` and
    ``subject(values)`` answer None where they cannot be read; ``recency(values)`` is a sortable text (the row's
    ``_event_date``), of which the latest wins within a file. ``key`` names the canonical fields of the record key.
    """

    system: str
    name: str
    type: str
    key: tuple[str, ...]
    decode: Callable[[Mapping[str, Any]], Record]
    read: Callable[[bytes, str], Reading] | None = None
    scope: Callable[[Mapping[str, Any]], Scope | None] = lambda _values: None
    subject: Callable[[Mapping[str, Any]], str | None] = lambda _values: None
    recency: Callable[[Mapping[str, Any]], str] = lambda _values: ""
    snapshot: bool = False
    agency_field: str | None = None
    """The column with the agency: a spelling that is not a code is looked up in the hub's alias table."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a polled feed. ``cursor`` is stored with its rows in one transaction; ``more``: fetch on at once."""

    rows: Sequence[Row]
    cursor: str | None
    more: bool = False


class SourceUnavailable(Exception):
    """The system could not be read now; polled again after a backoff. Carries no secret."""


class Source(Protocol):
    """A polled source. Promises (tests/contract/source_contract.py):

    - ``fetch(None)`` starts from the beginning; ``fetch(cursor)`` gives what changed after the page that gave it;
    - the same cursor gives the same rows again (a crash before the commit repeats them), none is skipped when
      pages shift while being read;
    - unreachable -> SourceUnavailable within the total deadline; ``close`` twice is harmless.
    """

    async def fetch(self, cursor: str | None) -> Page: ...

    async def close(self) -> None: ...


class Claimed(Protocol):
    """A dropped file that this hub, and no other, has taken."""

    name: str
    content: bytes

    def done(self, errors: bytes | None = None) -> None:
        """Archive it; ``errors`` is the CSV of refused rows to leave beside it for the clerk."""

    def refused(self, report: bytes) -> None:
        """Set it aside with a report of why."""

    def release(self) -> None:
        """Put it back: it will be claimed again."""


class DropFolder(Protocol):
    """Files that a system drops. ``claim`` gives each complete file once; half-written ones wait."""

    def claim(self) -> Claimed | None: ...
