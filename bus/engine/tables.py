"""The tables of the way of a message, on SQLite and PostgreSQL alike.

Moments are microseconds since the epoch (UTC) in integers; JSON is text, so that both databases keep it byte for
byte. ``messages`` is never updated, ``attempts`` are only appended.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from .schema import METADATA, serial

messages = Table(
    "messages",
    METADATA,
    serial(),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("agency", Text),
    Column("feed", Text),
    Column("op", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("time_text", Text),
    Column("accepted_at", BigInteger, nullable=False),
    Column("posted_sequence", BigInteger),
    Column("partition", Text),
    Column("lane", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("version", BigInteger),
    Column("content", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("raw", LargeBinary),
    Column("traceparent", Text),
    UniqueConstraint("source", "id"),
    Index(None, "type", "subject", "seq"),
    Index(None, "type", "seq"),
    Index(None, "source", "seq"),
    Index(None, "accepted_at"),
)

records = Table(
    "records",
    METADATA,
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("message", BigInteger),
    Column("posted_sequence", BigInteger),
    Column("agency", Text),
    Column("deleted", SmallInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("type", "key"),
)

lane_keys = Table(
    "lane_keys",
    METADATA,
    Column("lane", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

lanes = Table(
    "lanes",
    METADATA,
    Column("destination", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("held", SmallInteger, nullable=False),
    Column("lease_until", BigInteger),
    Column("owner", Text),
    Column("fence", BigInteger, nullable=False),
    PrimaryKeyConstraint("destination", "lane"),
    Index(
        "ix_lanes_due",
        "destination",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "ix_lanes_owner", "owner", sqlite_where=text("owner IS NOT NULL"), postgresql_where=text("owner IS NOT NULL")
    ),
)

FINAL = ("delivered", "superseded", "discarded")
"""States in which a delivery has ended."""

_HOLDS = text("holds = 1")
_DEAD = text("state = 'dead'")
_WAITS = text("waits IS NOT NULL")
_OPEN = text("state NOT IN ('delivered', 'superseded', 'discarded')")

deliveries = Table(
    "deliveries",
    METADATA,
    serial(),
    Column("id", Text, nullable=False, unique=True),
    Column("message", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("holds", SmallInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("parked", Text),
    Column("waits", Text),
    Column("waits_at", Text),
    Column("reason", Text),
    Column("token", Text),
    Column("alone", SmallInteger, nullable=False),
    Column("deaths", SmallInteger, nullable=False),
    Column("replay_of", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Index(None, "message"),
    Index("ix_deliveries_line", "destination", "lane", "sequence", sqlite_where=_HOLDS, postgresql_where=_HOLDS),
    Index("ix_deliveries_dead", "destination", "type", "subject", sqlite_where=_DEAD, postgresql_where=_DEAD),
    Index("ix_deliveries_waits", "waits", sqlite_where=_WAITS, postgresql_where=_WAITS),
    Index("ix_deliveries_open", "destination", "state", "accepted_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
)
"""``holds`` is 1 while the delivery keeps later ones of its lane waiting; ``parked`` says for what, from a closed
list; ``waits`` names the parent record ("type:key") and ``waits_at`` where it must arrive (null: in the hub)."""

OPEN = text("deliveries.state NOT IN ('delivered', 'superseded', 'discarded')")
"""What has not come to its end. Written out as the partial index ix_deliveries_open has it: with parameters no
database sees that the index serves, and reads every delivery there ever was."""

attempts = Table(
    "attempts",
    METADATA,
    serial(),
    Column("delivery", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("at", Text),
    Column("detail", Text),
    Column("worker", Text, nullable=False),
    Column("mapping", Text),
    Index(None, "delivery"),
)
"""``mapping`` is the release of the mappings that made the target form; null: none made one."""

starts = Table(
    "starts",
    METADATA,
    Column("delivery", BigInteger, primary_key=True, autoincrement=False),
    Column("worker", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
)
"""An attempt that began at a destination that does not take keys: what a crash leaves here is ambiguous."""

replicas = Table(
    "replicas",
    METADATA,
    Column("destination", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("message", BigInteger, nullable=False),
    Column("version", BigInteger),
    Column("sequence", BigInteger, nullable=False),
    Column("deleted", SmallInteger, nullable=False),
    Column("delivered_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("destination", "type", "key"),
)
