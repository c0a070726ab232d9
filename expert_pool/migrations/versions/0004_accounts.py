"""Accounts, their grants, sessions and tokens."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    return None


def downgrade() -> None:
    return None
