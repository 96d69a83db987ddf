"""What became of a file that was taken in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

from bus.contract.feed import Reading

from .snapshot_plan import Bad, Plan, Read


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a file's rows. rows = created + changed + unchanged + duplicate + rejected."""

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicate: int = 0
    deleted: int = 0
    rejected: int = 0
    parked: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @classmethod
    def of(cls, read: Read, planned: Plan, parked: int, deleted: int) -> Self:
        return cls(
            rows=read.rows,
            created=len(planned.created),
            changed=len(planned.changed),
            unchanged=planned.unchanged,
            duplicate=read.duplicates,
            deleted=deleted,
            rejected=len(read.rejected),
            parked=parked,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken. ``conflicts``: duplicate rows that contradicted each other."""

    counts: Counts
    reading: Reading
    rejected: Sequence[Bad] = ()
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Approval:
    """A person has looked at what the held ``snapshot`` deletes."""

    snapshot: str
    reason: str
