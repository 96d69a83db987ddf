"""Keys of parents, read from a child's canonical data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mappings.canonical import subject_of


def key_from(*fields: str) -> Callable[[Mapping[str, Any]], str | None]:
    """The parent's key from these fields of the child; None where one of them is absent: then no parent is required."""

    def key(data: Mapping[str, Any]) -> str | None:
        parts = [data.get(field) for field in fields]
        return None if any(part is None for part in parts) else subject_of(parts)

    return key
