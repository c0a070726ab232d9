"""Background runs, their files and events, and the workers that carry them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def upgrade() -> None:
    op.create_table(
        "run",
        whole("id"),
        text("code"),
        text("kind"),
        sa.Column("state", sa.String(32), nullable=False),
        whole("account_id", null=True),
        text("actor"),
        text("scopes", null=True),
        whole("organiser_id", null=True),
        text("once", null=True),
        sa.Column("params_sealed", sa.LargeBinary(), nullable=False),
        moment("accepted_at"),
        moment("submitted_at", null=True),
        moment("started_at", null=True),
        moment("ended_at", null=True),
        whole("attempt"),
        whole("losses"),
        text("owner", null=True),
        moment("cancel_asked_at", null=True),
        text("cancel_asked_by", null=True),
        whole("last_seq"),
        sa.Column("decisions", sa.Text(), nullable=True),
        sa.Column("outcome_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.ForeignKeyConstraint(["organiser_id"], ["organiser.id"], name="fk_run_organiser_id"),
        sa.UniqueConstraint("code", name="uq_run_code"),
        sa.UniqueConstraint("actor", "kind", "once", name="uq_run_actor"),
    )
    for column in ("state", "account_id", "organiser_id", "ended_at"):
        op.create_index(f"ix_run_{column}", "run", [column])
    op.create_table(
        "run_file",
        whole("id"),
        whole("run_id"),
        sa.Column("part", sa.String(32), nullable=False),
        text("name"),
        text("media_type"),
        whole("size"),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_file"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_file_run_id"),
        sa.UniqueConstraint("run_id", "part", "name", name="uq_run_file_run_id"),
    )
    op.create_table(
        "run_event",
        whole("id"),
        whole("run_id"),
        whole("seq"),
        moment("at"),
        text("kind"),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_event"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_event_run_id"),
        sa.UniqueConstraint("run_id", "seq", name="uq_run_event_run_id"),
    )
    op.create_table(
        "worker",
        whole("id"),
        text("name"),
        text("token"),
        whole("pid"),
        whole("pid_began"),
        moment("started_at"),
        moment("beat_at"),
        whole("beats"),
        sa.Column("draining", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
        sa.UniqueConstraint("name", name="uq_worker_name"),
        sa.UniqueConstraint("token", name="uq_worker_token"),
    )


def downgrade() -> None:
    for table in ("worker", "run_event", "run_file", "run"):
        op.drop_table(table)
