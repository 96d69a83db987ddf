"""The base of every canonical record: frozen, strict, with a declared key.

A canonical model is the hub's own language. Its ``TYPE`` is the short form of the CloudEvents type
(``budget.line`` for ``id.go.surabaya.budget.line.v1``), its ``KEY`` names the top-level fields that
identify the record, in order.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

_UNRESERVED = "-._~"
"""RFC 3986 unreserved punctuation: everything else in a key component is percent-encoded, so ``:`` always separates."""

# Every model class has a method ``register`` from ABCMeta, which pydantic takes for an inherited attribute: it warns,
# and it makes the method the default of a field of that name. Such fields are therefore written ``= Field()``
# (required), and the warning says nothing more.
warnings.filterwarnings("ignore", message='Field name "register" in', category=UserWarning)


class Canonical(BaseModel):
    """One record at one version. Unknown fields are refused; null means absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    TYPE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    AGENCY: ClassVar[str | None] = None
    """Name of the field that holds the 22-character code of the record's own OPD, if it has one."""
    EXAMPLE: ClassVar[dict[str, Any]]

    @property
    def subject(self) -> str:
        """The record key as CloudEvents ``subject``: key fields percent-encoded and joined by ``:``."""
        return subject_of(getattr(self, name) for name in self.KEY)

    @property
    def agency_code(self) -> str | None:
        """The OPD that owns the record, or None when only its source system tells."""
        return getattr(self, self.AGENCY) if self.AGENCY else None

    def to_data(self) -> dict[str, Any]:
        """The record as JSON-ready values: money as two-decimal strings, dates ISO 8601, nulls left out."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Validate ``data`` as posted; raises ``pydantic.ValidationError``."""
        return cls.model_validate(data)


def subject_of(parts: Any) -> str:
    """Join key values into a subject: each as text, percent-encoded (UTF-8), joined by ``:``; null is empty."""
    return ":".join("" if part is None else quote(str(part), safe=_UNRESERVED) for part in parts)
