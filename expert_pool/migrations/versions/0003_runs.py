"""Background runs, their events, and the workers that carry them."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    return None


def downgrade() -> None:
    return None
