"""The message: a CloudEvents 1.0 envelope around canonical data, immutable once accepted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

Op = Literal["upsert", "delete"]

TYPE_PREFIX = "id.go.surabaya."
TYPE_SUFFIX = ".v1"
SOURCE_PREFIX = "/systems/"
WIB = timezone(timedelta(hours=7))
"""Western Indonesia Time, in which the hub writes times of its own."""

SYSTEM_ID = re.compile(r"[a-z0-9-]{2,40}")


def full_type(short: str) -> str:
    """``budget.line`` -> ``id.go.surabaya.budget.line.v1``."""
    return f"{TYPE_PREFIX}{short}{TYPE_SUFFIX}"


def short_type(name: str) -> str:
    """The short form of a type given in either form."""
    return name.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)


def source_of(system: str) -> str:
    """``e-budgeting`` -> ``/systems/e-budgeting``."""
    return SOURCE_PREFIX + system


@dataclass(frozen=True, slots=True)
class Incoming:
    """A checked input on its way into the store: not yet a message, it may still be a duplicate.

    ``sequence`` is the source's own version, ``partition`` an explicit lane key, ``content`` the SHA-256 (hex)
    over all attributes and data as sent, ``raw`` the input as received, ``time`` when the source changed it and
    ``time_text`` the same as the source wrote it.
    """

    id: str
    system: str
    type: str
    subject: str
    data: Mapping[str, Any]
    content: str
    raw: bytes
    op: Op = "upsert"
    time: datetime | None = None
    sequence: int | None = None
    partition: str | None = None
    traceparent: str | None = None
    time_text: str | None = None
    agency: str | None = None
    feed: str | None = None

    @property
    def source(self) -> str:
        return source_of(self.system)

    @property
    def lane(self) -> str:
        """Deliveries of one lane key keep their order: the record, or the partition its source named."""
        if self.partition is not None:
            return f"p:{self.source}:{self.partition}"
        return f"r:{self.type}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message as sinks see it. ``time`` is the source's, or the acceptance time where it gave none.

    ``time_text`` is the time as the source wrote it: it goes out as it came in.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    op: Op
    data: Mapping[str, Any]
    agency: str | None = None
    partition: str | None = None
    traceparent: str | None = None
    time_text: str | None = None

    def event(self, sequence: int) -> dict[str, Any]:
        """The message as a structured CloudEvent; ``sequence`` is the hub's own, rising per lane."""
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": full_type(self.type),
            "subject": self.subject,
            "time": self.time_text or self.time.astimezone(WIB).isoformat(),
            "datacontenttype": "application/json",
            "sequence": str(sequence),
            "op": self.op,
        }
        if self.partition is not None:
            event["partitionkey"] = self.partition
        if self.traceparent is not None:
            event["traceparent"] = self.traceparent
        event["data"] = dict(self.data)
        return event
