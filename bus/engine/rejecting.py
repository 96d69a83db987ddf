"""Rejections: inputs that could not become messages, kept with reason, position and raw form."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from sqlalchemy import Connection

from bus.contract.events import Event, FeedRead, InputRejected
from bus.contract.feed import Feed

from .registers import rejections
from .snapshot_plan import Bad


def write(
    connection: Connection, feed: Feed, rejected: Sequence[Bad], *, file: str | None, digest: str | None, now: int
) -> None:
    """Keep them. The same file taken again replaces what it left the time before."""
    if digest is not None:
        connection.execute(
            rejections.delete().where(
                rejections.c.system == feed.system,
                rejections.c.feed == feed.name,
                rejections.c.file_sha256 == digest,
            )
        )
    if rejected:
        connection.execute(
            rejections.insert(),
            [
                {
                    "system": feed.system,
                    "feed": feed.name,
                    "file": file,
                    "file_sha256": digest,
                    "row": bad.row.number,
                    "line": bad.row.line,
                    "problems": json.dumps(
                        [
                            {
                                "field": problem.field,
                                "column": problem.column,
                                "english": problem.english,
                                "indonesian": problem.indonesian,
                            }
                            for problem in bad.problems
                        ],
                        ensure_ascii=False,
                    ),
                    "raw": bad.row.raw,
                    "agency": _agency(feed, bad),
                    "at": now,
                }
                for bad in rejected
            ],
        )


_CODE = re.compile(r"\d\.\d{2}\.\d\.\d{2}\.\d\.\d{2}\.\d{2}\.\d{4}", re.ASCII)


def _agency(feed: Feed, bad: Bad) -> str | None:
    """The OPD whose row it is, where the row still says so; None: its system's."""
    said = bad.row.values.get(feed.agency_field) if feed.agency_field else None
    return said if isinstance(said, str) and _CODE.fullmatch(said) else None


def events(feed: Feed, rejected: Sequence[Bad], at: float) -> list[Event]:
    """What monitoring hears of a feed read to its end."""
    told: list[Event] = [InputRejected(feed.system, "bad-row") for _ in rejected]
    return [*told, FeedRead(feed.system, feed.name, at)]


def file_events(feed: Feed) -> list[Event]:
    return [InputRejected(feed.system, "file-refused")]
