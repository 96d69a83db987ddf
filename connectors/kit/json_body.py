"""JSON bodies with exact numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson


class JsonRefused(ValueError):
    """A value that cannot be written in the destination's form; the text names the kind, never the value."""


def json_body(value: Any) -> bytes:
    """``value`` as JSON; a Decimal becomes a number with all its digits. Raises JsonRefused."""
    try:
        return orjson.dumps(value, default=_exact)
    except (TypeError, ValueError, RecursionError) as error:
        raise JsonRefused("the target form cannot be written as JSON") from error


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f").encode())
    raise TypeError(type(value).__name__)
