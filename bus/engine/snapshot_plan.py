"""What a snapshot would change: pure, decided before anything is written.

A snapshot replaces only its scopes. A rejected row protects its record; if its key cannot be read, the snapshot
deletes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bus.contract.feed import Feed, FieldProblem, Record, Row, RowRefused, Scope

Place = tuple[Scope, str]
"""(scope, record key)"""

_NO_SCOPE = FieldProblem(
    "scope",
    "the row does not say which part of the world it belongs to (institution, year)",
    "baris tidak menyebut lingkupnya (instansi, tahun)",
)


def canonical_hash(data: Mapping[str, Any]) -> str:
    """SHA-256 over canonical values: two formats of one row agree."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Good:
    """A row that became a record."""

    row: Row
    scope: Scope
    record: Record
    hash: str
    recency: str

    @property
    def place(self) -> Place:
        return self.scope, self.record.subject


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that did not, and why."""

    row: Row
    problems: tuple[FieldProblem, ...]


@dataclass(slots=True)
class Read:
    """A file's rows, sorted by what they are. ``conflicts`` counts duplicates that said something else."""

    winners: dict[Place, Good] = field(default_factory=dict)
    rejected: list[Bad] = field(default_factory=list)
    duplicates: int = 0
    conflicts: int = 0
    protected: set[Place] = field(default_factory=set)
    scopes: set[Scope] = field(default_factory=set)
    whole: bool = True
    may_delete: bool = True

    @property
    def rows(self) -> int:
        return len(self.winners) + self.duplicates + len(self.rejected)


def read_rows(feed: Feed, rows: Sequence[Row], *, whole: bool = True) -> Read:
    """Decode every row. Within the file the latest recency, then the last row, wins its key.

    What is not ``whole`` (a page, a file of mended rows) says nothing of the rows that it leaves out.
    """
    read = Read(whole=whole, may_delete=whole)
    for row in rows:
        sorted_out = _sort_out(feed, row)
        if isinstance(sorted_out, Bad):
            read.rejected.append(sorted_out)
            _protect(feed, row, read)
        else:
            _enter(read, sorted_out)
    return read


def _sort_out(feed: Feed, row: Row) -> Good | Bad:
    if row.problems:
        return Bad(row, row.problems)
    try:
        record = feed.decode(row.values)
    except RowRefused as refused:
        return Bad(row, refused.problems)
    scope = feed.scope(row.values) if feed.snapshot else ()
    if scope is None:
        return Bad(row, (_NO_SCOPE,))
    return Good(row, scope, record, canonical_hash(record.data), feed.recency(row.values))


def _enter(read: Read, good: Good) -> None:
    read.scopes.add(good.scope)
    before = read.winners.get(good.place)
    if before is None:
        read.winners[good.place] = good
        return
    read.duplicates += 1
    read.conflicts += int(before.hash != good.hash)
    if good.recency >= before.recency:
        read.winners[good.place] = good


def _protect(feed: Feed, row: Row, read: Read) -> None:
    scope = feed.scope(row.values) if feed.snapshot else ()
    key = feed.subject(row.values)
    if scope is not None:
        read.scopes.add(scope)
    if scope is None or key is None:
        read.may_delete = False
    else:
        read.protected.add((scope, key))


@dataclass(slots=True)
class Plan:
    """What the snapshot makes of the feed's state. ``previous`` is that state: hash by scope and key."""

    created: list[Good] = field(default_factory=list)
    changed: list[Good] = field(default_factory=list)
    unchanged: int = 0
    deleted: list[Place] = field(default_factory=list)


def plan(feed: Feed, read: Read, previous: Mapping[Scope, Mapping[str, str]]) -> Plan:
    """Compare a file with the state of its scopes."""
    result = Plan()
    for place, good in read.winners.items():
        before = previous.get(place[0], {}).get(place[1])
        if before is None:
            result.created.append(good)
        elif before != good.hash:
            result.changed.append(good)
        else:
            result.unchanged += 1
    if feed.snapshot and read.may_delete:
        for scope in sorted(read.scopes):
            for key in previous.get(scope, {}):
                if (scope, key) not in read.winners and (scope, key) not in read.protected:
                    result.deleted.append((scope, key))
    return result


@dataclass(frozen=True, slots=True)
class HoldRule:
    """More than ``share`` of a scope and more than ``rows`` rows deleted at once: a person looks first."""

    share: float = 0.10
    rows: int = 20

    def holds(self, result: Plan, previous: Mapping[Scope, Mapping[str, str]]) -> bool:
        for scope, rows in previous.items():
            gone = sum(1 for place in result.deleted if place[0] == scope)
            if gone > self.rows and gone > self.share * len(rows):
                return True
        return False
