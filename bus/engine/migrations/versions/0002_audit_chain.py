"""The audit rows become a chain: each sealed one has a position, the hash before it and its own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SEALED = sa.text("position IS NOT NULL")
_UNSEALED = sa.text("position IS NULL")


def upgrade() -> None:
    op.add_column("audit", sa.Column("position", sa.BigInteger(), nullable=True))
    op.add_column("audit", sa.Column("previous", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("hash", sa.Text(), nullable=True))
    op.create_index(
        "ix_audit_position", "audit", ["position"], unique=True, sqlite_where=_SEALED, postgresql_where=_SEALED
    )
    op.create_index("ix_audit_unsealed", "audit", ["seq"], sqlite_where=_UNSEALED, postgresql_where=_UNSEALED)


def downgrade() -> None:
    op.drop_index("ix_audit_unsealed", "audit")
    op.drop_index("ix_audit_position", "audit")
    for column in ("hash", "previous", "position"):
        op.drop_column("audit", column)
