"""The first schema."""

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _column(kind: Any, name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


_text = partial(_column, sa.Text())
_big = partial(_column, sa.BigInteger())
_int = partial(_column, sa.Integer())
_small = partial(_column, sa.SmallInteger())
_float = partial(_column, sa.Float(53))
_bytes = partial(_column, sa.LargeBinary())


def _serial() -> sa.Column[Any]:
    return sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False)


def _key(*columns: str, table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _unique(*columns: str, table: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{'_'.join(columns)}")


def _index(name: str, table: str, *columns: str, where: str | None = None) -> None:
    condition = sa.text(where) if where else None
    op.create_index(name, table, list(columns), sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    op.create_table("agency_aliases", _text("alias"), _text("code"), _key("alias", table="agency_aliases"))
    op.create_table(
        "api_keys",
        _text("id"),
        _text("system"),
        _text("hash"),
        _text("scopes"),
        _big("created_at"),
        _big("revoked_at", null=True),
        _key("id", table="api_keys"),
        _unique("hash", table="api_keys"),
    )
    op.create_table(
        "attempts",
        _serial(),
        _big("delivery"),
        _int("number"),
        _big("started_at"),
        _big("ended_at"),
        _text("outcome"),
        _int("status", null=True),
        _text("at", null=True),
        _text("detail", null=True),
        _text("worker"),
        _key("seq", table="attempts"),
    )
    _index("ix_attempts_delivery", "attempts", "delivery")
    op.create_table(
        "audit", _serial(), _big("at"), _text("actor"), _text("action"), _text("detail"), _key("seq", table="audit")
    )
    op.create_table("controls", _text("name"), _big("value"), _key("name", table="controls"))
    op.create_table(
        "counters", _text("name"), _text("labels"), _float("value"), _key("name", "labels", table="counters")
    )
    op.create_table(
        "deliveries",
        _serial(),
        _text("id"),
        _big("message"),
        _text("destination"),
        _text("route"),
        _text("type"),
        _text("subject"),
        _text("lane"),
        _big("sequence"),
        _text("state"),
        _small("holds"),
        _int("attempts"),
        _int("retries"),
        _big("due_at"),
        _text("parked", null=True),
        _text("waits", null=True),
        _text("waits_at", null=True),
        _text("reason", null=True),
        _text("token", null=True),
        _small("alone"),
        _small("deaths"),
        _text("replay_of", null=True),
        _big("created_at"),
        _big("accepted_at"),
        _big("settled_at", null=True),
        _key("seq", table="deliveries"),
        _unique("id", table="deliveries"),
    )
    _index("ix_deliveries_dead", "deliveries", "destination", "type", "subject", where="state = 'dead'")
    _index("ix_deliveries_line", "deliveries", "destination", "lane", "sequence", where="holds = 1")
    _index("ix_deliveries_message", "deliveries", "message")
    _index(
        "ix_deliveries_open",
        "deliveries",
        "destination",
        "state",
        "accepted_at",
        where="state NOT IN ('delivered', 'superseded', 'discarded')",
    )
    _index("ix_deliveries_waits", "deliveries", "waits", where="waits IS NOT NULL")
    op.create_table(
        "feed_rows",
        _text("system"),
        _text("feed"),
        _text("scope"),
        _text("key"),
        _text("hash"),
        _key("system", "feed", "scope", "key", table="feed_rows"),
    )
    op.create_table(
        "feeds",
        _text("system"),
        _text("feed"),
        _text("cursor", null=True),
        _big("last_success", null=True),
        _text("lease_owner", null=True),
        _big("lease_until", null=True),
        _key("system", "feed", table="feeds"),
    )
    op.create_table("lane_keys", _text("lane"), _big("sequence"), _key("lane", table="lane_keys"))
    op.create_table(
        "lanes",
        _text("destination"),
        _text("lane"),
        _big("due_at", null=True),
        _small("held"),
        _big("lease_until", null=True),
        _text("owner", null=True),
        _big("fence"),
        _key("destination", "lane", table="lanes"),
    )
    _index("ix_lanes_due", "lanes", "destination", "due_at", where="due_at IS NOT NULL")
    _index("ix_lanes_owner", "lanes", "owner", where="owner IS NOT NULL")
    op.create_table(
        "messages",
        _serial(),
        _text("source"),
        _text("id"),
        _text("type"),
        _text("subject"),
        _text("agency", null=True),
        _text("feed", null=True),
        _text("op"),
        _big("time"),
        _text("time_text", null=True),
        _big("accepted_at"),
        _big("posted_sequence", null=True),
        _text("partition", null=True),
        _text("lane"),
        _big("sequence"),
        _big("version", null=True),
        _text("content"),
        _text("data"),
        _bytes("raw", null=True),
        _text("traceparent", null=True),
        _key("seq", table="messages"),
        _unique("source", "id", table="messages"),
    )
    _index("ix_messages_accepted_at", "messages", "accepted_at")
    _index("ix_messages_type_subject_seq", "messages", "type", "subject", "seq")
    op.create_table(
        "records",
        _text("type"),
        _text("key"),
        _big("version"),
        _big("message", null=True),
        _big("posted_sequence", null=True),
        _text("agency", null=True),
        _small("deleted"),
        _big("updated_at"),
        _key("type", "key", table="records"),
    )
    op.create_table(
        "rejections",
        _serial(),
        _text("system"),
        _text("feed"),
        _text("file", null=True),
        _text("file_sha256", null=True),
        _big("row", null=True),
        _big("line", null=True),
        _text("problems"),
        _text("raw"),
        _text("agency", null=True),
        _big("at"),
        _key("seq", table="rejections"),
    )
    _index("ix_rejections_system_feed_file_sha256", "rejections", "system", "feed", "file_sha256")
    op.create_table(
        "replicas",
        _text("destination"),
        _text("type"),
        _text("key"),
        _big("message"),
        _big("version", null=True),
        _big("sequence"),
        _small("deleted"),
        _big("delivered_at"),
        _key("destination", "type", "key", table="replicas"),
    )
    op.create_table(
        "snapshots",
        _text("id"),
        _text("system"),
        _text("feed"),
        _text("scopes"),
        _text("file"),
        _bytes("content"),
        _text("state"),
        _big("rows"),
        _big("deletions"),
        _big("size"),
        _big("at"),
        _big("decided_at", null=True),
        _text("decided_by", null=True),
        _text("reason", null=True),
        _key("id", table="snapshots"),
    )
    _index("ix_snapshots_system_feed_state", "snapshots", "system", "feed", "state")
    op.create_table("starts", _big("delivery"), _text("worker"), _big("started_at"), _key("delivery", table="starts"))
    op.create_table(
        "subscriptions",
        _text("id"),
        _text("system"),
        _text("url"),
        _text("secret"),
        _text("types"),
        _text("start"),
        _big("created_at"),
        _big("removed_at", null=True),
        _key("id", table="subscriptions"),
    )
    op.create_table(
        "systems",
        _text("id"),
        _text("title"),
        _text("agency", null=True),
        _small("external"),
        _big("paused_at", null=True),
        _text("paused_reason", null=True),
        _big("created_at"),
        _key("id", table="systems"),
    )
    op.create_table(
        "workers",
        _text("id"),
        _big("started_at"),
        _big("heartbeat_at"),
        _big("control_seen"),
        _text("circuits"),
        _key("id", table="workers"),
    )


def downgrade() -> None:
    for table in (
        "workers",
        "systems",
        "subscriptions",
        "starts",
        "snapshots",
        "replicas",
        "rejections",
        "records",
        "messages",
        "lanes",
        "lane_keys",
        "feeds",
        "feed_rows",
        "deliveries",
        "counters",
        "controls",
        "audit",
        "attempts",
        "api_keys",
        "agency_aliases",
    ):
        op.drop_table(table)
