"""Each attempt tells the release of the mappings that made its target form."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("mapping", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("attempts", "mapping")
