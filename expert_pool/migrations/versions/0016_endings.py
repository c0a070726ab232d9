"""Indices by the last day of terms and trainings, for what ends soon."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
_TABLES = ("membership", "training")


def upgrade() -> None:
    for table in _TABLES:
        op.create_index(f"ix_{table}_until", table, ["until"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_index(f"ix_{table}_until", table)
