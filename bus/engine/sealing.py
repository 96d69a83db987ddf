"""The audit chain: committed audit rows get a position and a hash over themselves and the hash before.

Positions follow the order in which the sealer sees rows, not ``seq``: a transaction that commits late keeps its low
number, and is sealed all the same, because sealing asks for what is not sealed yet. Whoever can write the store can
write the whole chain anew; against that, and against a cut end, helps only a head that was noted down elsewhere (an
anchor).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from . import feed_state
from .dialect import run
from .registers import audit

GENESIS = "0" * 64
"""What stands before the first row."""

PORTION = 500
"""Rows sealed in one transaction."""

PAGE = 5000
"""Rows read at once when the chain is verified."""

SHOWN = 100
"""Findings that are told one by one; the others are counted."""

_LEASE = ("hub", "sealer")


@dataclass(frozen=True, slots=True)
class Head:
    """The chain's last row; position 0 is a chain without rows."""

    position: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Finding:
    """``what`` is changed, missing, broken or inserted, of the rows from ``first`` to ``last`` (positions)."""

    what: str
    first: int
    last: int
    seq: int | None = None


@dataclass(slots=True)
class Verified:
    """What a verification saw. ``anchored`` is the position of the anchor; None: it is not in the chain."""

    sealed: int = 0
    unsealed: int = 0
    head: Head = field(default_factory=Head)
    wrong: int = 0
    findings: list[Finding] = field(default_factory=list)
    anchor: str | None = None
    anchored: int | None = None

    @property
    def ok(self) -> bool:
        return not self.wrong and (self.anchor is None or self.anchored is not None)

    def find(self, what: str, first: int, last: int, seq: int | None = None) -> None:
        self.wrong += 1
        if len(self.findings) < SHOWN:
            self.findings.append(Finding(what, first, last, seq))


def digest(previous: str, position: int, row: Any) -> str:
    """SHA-256, in hex, of the hash before and the row as canonical JSON (names sorted, no spaces, UTF-8)."""
    content = {
        "position": position,
        "seq": row.seq,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "detail": row.detail,
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def head(connection: Connection) -> Head:
    """Where the chain ends now: note its hash down elsewhere, and a later verification can ask for it."""
    statement = select(audit.c.position, audit.c.hash).where(audit.c.position.is_not(None))
    row = connection.execute(statement.order_by(audit.c.position.desc()).limit(1)).first()
    return Head() if row is None else Head(row.position, row.hash or "")


def has_unsealed(connection: Connection) -> bool:
    return run(connection, "audit_unsealed", {"portion": 1}).first() is not None


def seal(connection: Connection, *, owner: str, now: int) -> int:
    """Chain up to ``PORTION`` rows; answers how many. 0 where another has the lease.

    The lease's row stays locked to the end of the transaction, so two sealers never give the same position.
    """
    if not feed_state.take_lease(connection, *_LEASE, owner, now):
        return 0
    rows = run(connection, "audit_unsealed", {"portion": PORTION}).all()
    last = head(connection)
    sealed: list[dict[str, Any]] = []
    for position, row in enumerate(rows, last.position + 1):
        own = digest(last.hash, position, row)
        sealed.append({"seq": row.seq, "position": position, "previous": last.hash, "hash": own})
        last = Head(position, own)
    if sealed:
        run(connection, "audit_seal", sealed)
    return len(sealed)


def verify(connection: Connection, anchor: str | None = None) -> Verified:
    """Compute the whole chain anew. ``anchor`` is an earlier head's hash that must be in it."""
    found = Verified(anchor=anchor, anchored=0 if anchor == GENESIS else None)
    for row in _chain(connection):
        _look(found, row)
    count = select(func.count()).select_from(audit)
    found.unsealed = connection.execute(count.where(audit.c.position.is_(None))).scalar_one()
    there = connection.execute(count.where(audit.c.position <= found.head.position)).scalar_one()
    if there != found.sealed:  # a second row at a page's last position
        found.find("inserted", 1, found.head.position)
    return found


def _chain(connection: Connection) -> Iterator[Any]:
    after = -(2**63)
    while rows := run(connection, "audit_chain", {"after": after, "portion": PAGE}).all():
        yield from rows
        after = rows[-1].position


def _look(found: Verified, row: Any) -> None:
    """One row after the one before: is it the next, does it follow, is it as it was."""
    before, position = found.head, row.position
    found.sealed += 1
    if position <= before.position:
        found.find("inserted", position, position, row.seq)
        return
    if position > before.position + 1:
        found.find("missing", before.position + 1, position - 1)
    elif row.previous != before.hash:
        found.find("broken", position, position, row.seq)
    if row.hash != digest(row.previous or "", position, row):
        found.find("changed", position, position, row.seq)
    if row.hash == found.anchor:
        found.anchored = position
    found.head = Head(position, row.hash or "")
