"""Headings and metadata names as budget offices write them, and the search for the header row."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bus.contract.feed import FileRefused
from connectors.kit.table import Cells, Record

METADATA = {
    "judul": "document",
    "judul dokumen": "document",
    "daerah": "region",
    "pemerintah daerah": "region",
    "tahun": "year",
    "tahun anggaran": "year",
    "kode organisasi": "organisation",
    "nama organisasi": "organisation_name",
    "organisasi": "organisation_name",
    "kolom": "columns",
}
"""Names of the lines above the header (Judul, Daerah, Tahun …); near misses such as *Nama Organsisasi* count too."""

_LIKENESS = 0.85
SEARCHED = 40
"""Records looked at for the header; real documents have it within the first ten."""


@dataclass(frozen=True, slots=True)
class Header:
    """Where the columns are: role -> index, index -> heading as printed (levels joined by " / ")."""

    roles: Mapping[str, int]
    headings: Mapping[int, str]
    top: int
    """Index of the header's first record."""
    rows: int
    """Records from the start of the file to the end of the header."""
    needed: int
    """Columns that a row must have: up to the last one with a role; a note may be missing."""

    def heading(self, role: str) -> str | None:
        """The file's own heading of a role's column."""
        return self.headings.get(self.roles.get(role, -1))


Roles = Mapping[str, frozenset[str]]
"""Role -> the normalised headings that name it."""


def plain(heading: str) -> str:
    """A heading without case, blanks and punctuation: ``No. Rekening`` and ``NOREKENING`` are one."""
    return re.sub(r"[\W_]+", "", heading.casefold())


_KEYS = {plain(key): name for key, name in METADATA.items()}


def find_header(rows: Sequence[Record], roles: Roles, marks: Collection[str]) -> Header | None:
    """The header is the first record that names every role of ``marks``; records without a code below it extend it."""
    for index, record in enumerate(rows[:SEARCHED]):
        named = {role for cell in record.cells for role, names in roles.items() if plain(cell) in names}
        if named.issuperset(marks):
            return _header(rows, index, roles)
    return None


def _header(rows: Sequence[Record], index: int, roles: Roles) -> Header:
    levels = [rows[index].cells]
    first = next(place for place, cell in enumerate(rows[index].cells) if cell.strip())
    while index + len(levels) < len(rows) and _extends(rows[index + len(levels)], first, levels[-1]):
        levels.append(rows[index + len(levels)].cells)
    paths = _paths(levels)
    found: dict[str, int] = {}
    for place, path in paths.items():
        role = _role(path, roles)
        if role is None:
            continue
        if role in found:
            raise FileRefused(
                "header",
                f"two columns of the header mean the same: number {found[role] + 1} and {place + 1}",
                f"dua kolom pada judul kolom bermakna sama: nomor {found[role] + 1} dan {place + 1}",
                rows[index].line,
            )
        found[role] = place
    needed = max((place for role, place in found.items() if role not in {"note", "hint"}), default=0) + 1
    headings = {place: " / ".join(path) for place, path in paths.items()}
    return Header(found, headings, index, index + len(levels), needed)


def _extends(record: Record, first: int, above: Cells) -> bool:
    """A further line of a header: no code, no digit, and text under a merged cell, which leaves blanks at its right."""
    under = [cell for cell, upper in zip(record.cells, above, strict=False) if cell.strip() and not upper.strip()]
    return bool(under) and not record.cell(first) and not any(re.search(r"\d", cell) for cell in record.cells)


def _paths(levels: Sequence[Sequence[str]]) -> dict[int, tuple[str, ...]]:
    """The heading of each column from the top level down; a merged cell names the columns to its right as well."""
    width = max(len(level) for level in levels)
    filled: list[list[str]] = []
    for depth, level in enumerate(levels):
        row: list[str] = []
        for place in range(width):
            text = level[place].strip() if place < len(level) else ""
            same_parent = place > 0 and depth > 0 and filled[depth - 1][place] == filled[depth - 1][place - 1]
            merged = depth < len(levels) - 1 and row and (depth == 0 or same_parent)
            row.append(text or (row[-1] if merged else ""))
        filled.append(row)
    paths = {place: tuple(text for text in column if text) for place, column in enumerate(zip(*filled, strict=True))}
    return {place: path for place, path in paths.items() if path}


def _role(path: tuple[str, ...], roles: Roles) -> str | None:
    names = [plain(level) for level in path]
    if len(names) == 1:
        return next((role for role, known in roles.items() if names[0] in known), None)
    if names[-1] == "jumlahbelanja":
        for role in ("before", "after"):
            if any(name in roles.get(role, ()) for name in names):
                return role
    return None


def metadata(rows: Sequence[Record]) -> dict[str, str]:
    """The lines above the header by their meaning; a line of an unknown name is left out."""
    found: dict[str, str] = {}
    for record in rows:
        filled = [cell.strip() for cell in record.cells if cell.strip()]
        key = plain(filled[0]) if filled else ""
        near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=_LIKENESS)
        if near and len(filled) > 1:
            found.setdefault(_KEYS[near[0]], ", ".join(filled[1:]))
    return found
