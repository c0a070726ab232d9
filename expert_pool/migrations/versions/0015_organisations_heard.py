"""Organisations answer before a decision on them is confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
_NEW = (
    ("reply_until", sa.Date()),
    ("reply_provisional", sa.Boolean()),
    ("reply_days", sa.Integer()),
    ("heard_at", sa.DateTime()),
)


def upgrade() -> None:
    for name, kind in _NEW:
        op.add_column("organisation_decision", sa.Column(name, kind, nullable=True))
    op.create_table(
        "organisation_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organiser_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisation_reply"),
        sa.ForeignKeyConstraint(
            ["organiser_id"], ["organiser.id"], name="fk_organisation_reply_organiser_id"
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["organisation_decision.id"], name="fk_organisation_reply_decision_id"
        ),
    )
    for column in ("organiser_id", "decision_id"):
        op.create_index(f"ix_organisation_reply_{column}", "organisation_reply", [column])


def downgrade() -> None:
    op.drop_table("organisation_reply")
    for name, _ in reversed(_NEW):
        op.drop_column("organisation_decision", name)
