"""Purposes of looks and exports, erasures, replies of experts, shares of sealing keys."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    return None


def downgrade() -> None:
    return None
