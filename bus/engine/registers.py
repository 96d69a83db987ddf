"""The tables around the way of a message: who takes part, what feeds remember, what is counted and told."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from .schema import METADATA, serial

systems = Table(
    "systems",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("agency", Text),
    Column("external", SmallInteger, nullable=False),
    Column("paused_at", BigInteger),
    Column("paused_reason", Text),
    Column("created_at", BigInteger, nullable=False),
)

api_keys = Table(
    "api_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

agency_aliases = Table(
    "agency_aliases",
    METADATA,
    Column("alias", Text, primary_key=True),
    Column("code", Text, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("start", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
)

rejections = Table(
    "rejections",
    METADATA,
    serial(),
    Column("system", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("file", Text),
    Column("file_sha256", Text),
    Column("row", BigInteger),
    Column("line", BigInteger),
    Column("problems", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("agency", Text),
    Column("at", BigInteger, nullable=False),
    Index(None, "system", "feed", "file_sha256"),
)

snapshots = Table(
    "snapshots",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("deletions", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", Text),
    Column("reason", Text),
    Index(None, "system", "feed", "state"),
)
"""``content`` is the held file itself, zlib-compressed; ``state`` is held, approved, refused or replaced."""

feed_rows = Table(
    "feed_rows",
    METADATA,
    Column("system", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("system", "feed", "scope", "key"),
)

feeds = Table(
    "feeds",
    METADATA,
    Column("system", Text, nullable=False),
    Column("feed", Text, nullable=False),
    Column("cursor", Text),
    Column("last_success", BigInteger),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger),
    PrimaryKeyConstraint("system", "feed"),
)

workers = Table(
    "workers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("heartbeat_at", BigInteger, nullable=False),
    Column("control_seen", BigInteger, nullable=False),
    Column("circuits", Text, nullable=False),
)
"""``circuits`` is a JSON object: destination to 1 where this worker's circuit is open, else 0."""

controls = Table(
    "controls",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

counters = Table(
    "counters",
    METADATA,
    Column("name", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("value", Float(53), nullable=False),
    PrimaryKeyConstraint("name", "labels"),
)

_SEALED = text("position IS NOT NULL")
_UNSEALED = text("position IS NULL")

audit = Table(
    "audit",
    METADATA,
    serial(),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("position", BigInteger),
    Column("previous", Text),
    Column("hash", Text),
    Index("ix_audit_position", "position", unique=True, sqlite_where=_SEALED, postgresql_where=_SEALED),
    Index("ix_audit_unsealed", "seq", sqlite_where=_UNSEALED, postgresql_where=_UNSEALED),
)
"""``position``, ``previous`` and ``hash`` are the sealer's: a row's place in the chain, soon after its commit."""

_RUNNING = text("state = 'running'")

replays = Table(
    "replays",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("filter", Text, nullable=False),
    Column("overwrite", SmallInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("error", Text),
    Column("cursor", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("resumed", BigInteger, nullable=False),
    Column("renewed", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("rate", Float(53)),
    Column("tokens", Float(53), nullable=False),
    Column("tokens_at", BigInteger, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Index(None, "created_at"),
    Index("ix_replays_running", "state", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
)
"""``state`` is running, done, stopped or failed; ``cursor`` the last delivery that the job has looked at, ``last`` the
newest one when it began; ``rate`` deliveries a second, of which ``tokens`` could be sent at ``tokens_at``."""
