"""Written scores, recorded per case, rater and criterion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rating_scale",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("organiser_id", sa.Integer(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.CheckConstraint("low < high", name=op.f("ck_rating_scale_range")),
        sa.ForeignKeyConstraint(["organiser_id"], ["organiser.id"], name="fk_rating_scale_organiser_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_scale"),
        sa.UniqueConstraint("code", name="uq_rating_scale_code"),
    )
    op.create_index("ix_rating_scale_organiser_id", "rating_scale", ["organiser_id"])
    op.create_table(
        "rating_criterion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scale_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["scale_id"], ["rating_scale.id"], name="fk_rating_criterion_scale_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_criterion"),
        sa.UniqueConstraint("code", name="uq_rating_criterion_code"),
    )
    op.create_index("ix_rating_criterion_scale_id", "rating_criterion", ["scale_id"])
    op.create_table(
        "rating",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("criterion_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("holds_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("organiser_id", sa.Integer(), nullable=False),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name="fk_rating_case_id"),
        sa.ForeignKeyConstraint(["rater_id"], ["expert.id"], name="fk_rating_rater_id"),
        sa.ForeignKeyConstraint(["criterion_id"], ["rating_criterion.id"], name="fk_rating_criterion_id"),
        sa.ForeignKeyConstraint(["organiser_id"], ["organiser.id"], name="fk_rating_organiser_id"),
        sa.ForeignKeyConstraint(["corrects_id"], ["rating.id"], name="fk_rating_corrects_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating"),
        sa.UniqueConstraint("corrects_id", name="uq_rating_corrects_id"),
    )
    op.create_index("ix_rating_case", "rating", ["case_id", "rater_id", "criterion_id"])
    op.create_index("ix_rating_rater_id", "rating", ["rater_id"])
    op.create_index("ix_rating_holds_on", "rating", ["holds_on"])
    op.create_index("ix_rating_organiser_id", "rating", ["organiser_id"])


def downgrade() -> None:
    for table in ("rating", "rating_criterion", "rating_scale"):
        op.drop_table(table)
