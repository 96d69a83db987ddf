"""A page of the messages of a type or a system reads that page alone: without these indexes it sorted all of them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_messages_type_seq", "messages", ["type", "seq"])
    op.create_index("ix_messages_source_seq", "messages", ["source", "seq"])


def downgrade() -> None:
    op.drop_index("ix_messages_source_seq", "messages")
    op.drop_index("ix_messages_type_seq", "messages")
