"""Requests answered before, by idempotency key."""

from __future__ import annotations

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    return None


def downgrade() -> None:
    return None
