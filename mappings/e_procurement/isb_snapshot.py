"""What a whole-year ISB snapshot needs to know of a row before, or although, the row cannot be mapped."""

from collections.abc import Mapping
from typing import Any

from mappings.calendar_values import sortable
from mappings.plain_values import read_code, read_year

_YEAR_NAMES = ("tahun_anggaran", "tahun")


def institution(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """``(kd_klpd,)``, the scope of a feed without a year; None if it cannot be read."""
    try:
        code = read_code(row.get("kd_klpd"))
    except ValueError:
        return None
    return None if code is None else (code,)


def institution_and_year(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """``(kd_klpd, year)``, the scope of a feed with a budget year; None if either cannot be read."""
    code = institution(row)
    try:
        year = next((read_year(row[name]) for name in _YEAR_NAMES if name in row), None)
    except ValueError:
        return None
    return None if code is None or year is None else (*code, str(year))


def event_date(row: Mapping[str, Any]) -> str:
    """``_event_date`` as text that sorts by time, the same for every spelling of it; empty if absent or unreadable.

    It tells which of two rows of one key is the later one. It is no part of the record: all rows of a snapshot
    change it every day.
    """
    return sortable(row.get("_event_date"))
