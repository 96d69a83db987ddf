"""Agencies under whatever spelling a file uses: the hub's alias table puts the code in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from bus.contract.feed import Row
from bus.contract.message import Incoming

from .lanes import chunks
from .registry import agency_codes, learn_aliases

AGENCY_TYPE = "reference.agency"

_CODE = re.compile(r"\d\.\d{2}\.\d\.\d{2}\.\d\.\d{2}\.\d{2}\.\d{4}")


def with_codes(connection: Connection, rows: Sequence[Row], field: str) -> Sequence[Row]:
    """``rows`` with every known spelling in ``field`` replaced by its 22-character code; unknown ones stay."""
    spellings = {
        value
        for row in rows
        if isinstance(value := row.values.get(field), str) and value and not _CODE.fullmatch(value)
    }
    if not spellings:
        return rows
    codes: dict[str, str] = {}
    for part in chunks(sorted(spellings)):
        codes |= agency_codes(connection, part)
    return [_with_code(row, field, codes) for row in rows]


def _with_code(row: Row, field: str, codes: Mapping[str, str]) -> Row:
    said = row.values.get(field)  # in JSON also a list or an object, which is a bad row
    return replace(row, values={**row.values, field: codes[said]}) if isinstance(said, str) and said in codes else row


def learn(connection: Connection, items: Iterable[Incoming]) -> None:
    """Agencies that arrive teach the table their names and other spellings."""
    learn_aliases(
        connection,
        [
            (alias, item.data["code"])
            for item in items
            if item.type == AGENCY_TYPE and item.op == "upsert"
            for alias in (item.data["code"], item.data["name"], *item.data.get("aliases", ()))
        ],
    )
