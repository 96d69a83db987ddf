"""Is everything where it must be? Every simulator's own state against the hub's records, both ways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from bus.engine.database import Database
from bus.engine.tables import deliveries, messages, records
from bus.entrypoints.catalogue import Catalogue
from mappings.canonical import Award, BudgetLine, Contract, Package, Tender, subject_of

Form = Mapping[str, Any]

SETTLED = ("parked", "dead")
"""A record that did not arrive but whose delivery stands here is not lost: it waits, visibly, for someone."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``lost``: in one place and not in the other, with nothing waiting; ``drift``: in both, and different."""

    lost: int = 0
    drift: int = 0

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(self.lost + other.lost, self.drift + other.drift)


def compare(database: Database, catalogue: Catalogue, states: Mapping[str, Any]) -> Comparison:
    """``states`` are the simulators' own, by system."""
    held = _records(database)
    waiting = _waiting(database)
    project, procurement = states["e-project"], states["e-procurement"]
    total = _budget(held[BudgetLine.TYPE], states["e-budgeting"]["lines"])
    total += _sent(held[Package.TYPE], _decoded(catalogue, "e-project", "paket", project["paket"].values()))
    announced = _decoded(catalogue, "e-procurement", "spse-pengumuman", procurement["pengumuman"].values())
    total += _sent({key: data for key, data in held[Tender.TYPE].items() if key.startswith("spse:")}, announced)
    collections = {
        BudgetLine.TYPE: project["anggaran"],
        Tender.TYPE: project["pengumuman"],
        Award.TYPE: project["hasil"],
        Contract.TYPE: project["kontrak"],
    }
    for kind, stored in collections.items():
        total += _arrived(catalogue, kind, "e-project", held[kind], stored, waiting)
    packages = {_package_key(code): form for code, form in procurement["paket"].items()}
    total += _arrived(catalogue, Package.TYPE, "e-procurement", held[Package.TYPE], packages, waiting)
    return total


def _package_key(code: str) -> str:
    return subject_of(("e-project", code))


def _records(database: Database) -> dict[str, dict[str, Form]]:
    """Living records by type and key."""
    statement = (
        select(records.c.type, records.c.key, messages.c.data)
        .join(messages, messages.c.seq == records.c.message)
        .where(records.c.deleted == 0)
    )
    held: dict[str, dict[str, Form]] = {kind: {} for kind in Catalogue().types}
    with database.reads.connect() as connection:
        for row in connection.execute(statement):
            held[row.type][row.key] = json.loads(row.data)
    return held


def _waiting(database: Database) -> set[tuple[str, str, str]]:
    statement = select(deliveries.c.destination, deliveries.c.type, deliveries.c.subject).where(
        deliveries.c.state.in_(SETTLED)
    )
    with database.reads.connect() as connection:
        return {(row.destination, row.type, row.subject) for row in connection.execute(statement)}


def _budget(held: Mapping[str, Form], lines: Iterable[Mapping[str, Any]]) -> Comparison:
    """e-Budgeting's own lines, read by a few plain rules of their own."""
    own = {
        subject_of((line["tahun"], line["kode_skpd"], line["kode_sub_giat"], line["kode_akun"])): (
            _money(line["rincian"]),
            _money(line["rincian_murni"]),
        )
        for line in lines
    }
    here = {key: (data["amount"], data.get("amount_before")) for key, data in held.items()}
    return _difference(own, here)


def _money(value: Any) -> str | None:
    return None if value is None else f"{Decimal(str(value)):.2f}"


def _decoded(catalogue: Catalogue, system: str, name: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Form]:
    feed = catalogue.feed(system, name)
    if feed is None:
        raise KeyError(name)
    found = [feed.decode(row) for row in rows]
    return {record.subject: record.data for record in found}


def _sent(held: Mapping[str, Form], own: Mapping[str, Form]) -> Comparison:
    """What a system says of its own records against what the hub has of them."""
    return _difference(own, held)


def _arrived(
    catalogue: Catalogue,
    kind: str,
    destination: str,
    held: Mapping[str, Form],
    stored: Mapping[str, Any],
    waiting: set[tuple[str, str, str]],
) -> Comparison:
    """What the hub has against what the destination stored, in the destination's own form."""
    route = next(one for one in catalogue.routes if one.type == kind and one.destination == destination)
    expected = {
        key: _plain(route.encode(data))
        for key, data in held.items()
        if route.when(data) and (destination, kind, key) not in waiting
    }
    there = {key: form for key, form in stored.items() if (destination, kind, key) not in waiting}
    return _difference(expected, {key: _plain(form) for key, form in there.items()})


def _plain(form: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON, without what is absent: a system may leave out a field that the hub sends as null."""
    return {name: value for name, value in json.loads(json.dumps(form, default=str)).items() if value is not None}


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> Comparison:
    lost = sum(1 for key in one.keys() ^ other.keys())
    drift = sum(1 for key in one.keys() & other.keys() if one[key] != other[key])
    return Comparison(lost, drift)
