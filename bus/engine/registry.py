"""Who takes part: systems, their agencies, and their keys (only a hash of a key is stored)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from bus.contract.errors import Problem, Refused
from bus.contract.message import SYSTEM_ID

from . import audit
from .dialect import insert
from .registers import agency_aliases, api_keys, systems

SCOPES = ("post", "read", "operate", "admin")

PREFIX = "arus_"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls, as the verified key tells. ``agency`` is the system's OPD, if it has one."""

    key_id: str
    system: str
    agency: str | None
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """``admin`` may all; ``operate`` may read."""
        return scope in self.scopes or "admin" in self.scopes or (scope == "read" and "operate" in self.scopes)

    @property
    def sees_all(self) -> bool:
        return self.may("operate")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. ``key`` is shown once and stored nowhere."""

    id: str
    system: str
    key: str
    scopes: tuple[str, ...]


def register(connection: Connection, system: str, *, title: str, agency: str | None, external: bool, now: int) -> None:
    """Make ``system`` known. A known one keeps what it has, but takes a new title and an agency that is given."""
    if not SYSTEM_ID.fullmatch(system):
        raise Refused(
            Problem("invalid-system-id", "Invalid system id", 422, "a system id is 2 to 40 of a-z, 0-9 and -")
        )
    statement = insert(connection, systems).values(
        id=system, title=title, agency=agency, external=int(external), created_at=now
    )
    changed = {"title": title} | ({"agency": agency} if agency is not None else {})
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


def known(connection: Connection, system: str) -> bool:
    return connection.execute(select(systems.c.id).where(systems.c.id == system)).first() is not None


def create_key(
    connection: Connection, system: str, scopes: Sequence[str], *, agency: str | None, actor: str, now: int
) -> NewKey:
    """A new key for ``system``; an unknown system is registered as an external one without a connector."""
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        raise Refused(Problem("invalid-scope", "Invalid scope", 422, f"scopes are {', '.join(SCOPES)}"))
    if not known(connection, system):
        register(connection, system, title=system, agency=agency, external=True, now=now)
    elif agency is not None:
        connection.execute(update(systems).where(systems.c.id == system).values(agency=agency))
    key_id = secrets.token_hex(6)
    key = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    connection.execute(
        api_keys.insert().values(id=key_id, system=system, hash=hash_of(key), scopes=",".join(scopes), created_at=now)
    )
    audit.note(connection, now, actor, "key-created", {"key": key_id, "system": system, "scopes": list(scopes)})
    return NewKey(key_id, system, key, tuple(scopes))


def revoke_key(connection: Connection, key_id: str, *, actor: str, now: int) -> bool:
    """True if a live key ended. It fails at its next use."""
    statement = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    ended = connection.execute(statement.values(revoked_at=now)).rowcount == 1
    if ended:
        audit.note(connection, now, actor, "key-revoked", {"key": key_id})
    return ended


def hash_of(key: str) -> str:
    """SHA-256: a key is 256 random bits, so a slow hash would guard nothing."""
    return hashlib.sha256(key.encode()).hexdigest()


def identify(connection: Connection, key: str) -> Identity | None:
    """Who holds ``key``; None if nobody does, or no more."""
    statement = (
        select(api_keys.c.id, api_keys.c.system, api_keys.c.scopes, systems.c.agency)
        .join(systems, systems.c.id == api_keys.c.system)
        .where(api_keys.c.hash == hash_of(key), api_keys.c.revoked_at.is_(None))
    )
    row = connection.execute(statement).first()
    return Identity(row.id, row.system, row.agency, frozenset(row.scopes.split(","))) if row else None


def learn_aliases(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """Spellings (``alias``, 22-character ``code``) under which agencies are met; the newest wins."""
    rows = {alias_key(alias): code for alias, code in pairs if alias_key(alias)}
    if rows:
        statement = insert(connection, agency_aliases)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["alias"], set_={"code": statement.excluded.code}),
            [{"alias": alias, "code": code} for alias, code in sorted(rows.items())],
        )


def alias_key(spelling: str) -> str:
    """Spellings are compared without case, and with any run of blanks and punctuation as one blank."""
    return " ".join("".join(c if c.isalnum() else " " for c in spelling.casefold()).split())


def agency_codes(connection: Connection, spellings: Iterable[str]) -> dict[str, str]:
    """The 22-character code for each of ``spellings`` that is known."""
    keys = {spelling: alias_key(spelling) for spelling in spellings}
    statement = select(agency_aliases.c.alias, agency_aliases.c.code).where(
        agency_aliases.c.alias.in_(sorted(set(keys.values())))
    )
    found = {row.alias: row.code for row in connection.execute(statement)}
    return {spelling: found[key] for spelling, key in keys.items() if key in found}
