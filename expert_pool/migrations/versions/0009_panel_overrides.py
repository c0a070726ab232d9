"""The overrides of the policy that a panel was made under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("panel", sa.Column("overrides", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("panel", "overrides")
