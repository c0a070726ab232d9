"""Requests answered before, by idempotency key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "answered_request",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_sha256", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answered_request")),
        sa.UniqueConstraint("account_id", "key", name=op.f("uq_answered_request_account_id")),
    )
    op.create_index(op.f("ix_answered_request_at"), "answered_request", ["at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_answered_request_at"), table_name="answered_request")
    op.drop_table("answered_request")
