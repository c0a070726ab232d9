"""Appraisals of organisers and committees: results, complaints, decisions by two people, measures."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

TABLES = ("review_result", "complaint", "organisation_decision", "organisation_measure")


def text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def truth(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=null)


def record() -> tuple[sa.Column[Any], ...]:
    """The columns of a record."""
    return (
        sa.Column("holds_on", sa.Date(), nullable=False),
        moment("recorded_at"),
        text("recorded_by"),
        truth("void"),
        whole("organiser_id"),
        whole("corrects_id", null=True),
    )


def table(name: str, *columns: Any, refs: dict[str, str], unique: str, index: tuple[str, ...]) -> None:
    """Create a table with its id, its references (column -> table), its unique column and indices, all named."""
    op.create_table(
        name,
        whole("id"),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{name}_{column}")
            for column, other in refs.items()
        ),
        sa.UniqueConstraint(unique, name=f"uq_{name}_{unique}"),
    )
    for column in index:
        op.create_index(f"ix_{name}_{column}", name, [column])


def upgrade() -> None:
    about = {"organiser_id": "organiser", "committee_id": "committee"}
    indexed = ("committee_id", "holds_on", "organiser_id")
    table(
        "review_result",
        whole("committee_id"),
        whole("season"),
        whole("reviewed"),
        whole("passed"),
        text("reference"),
        *record(),
        sa.CheckConstraint("passed between 0 and reviewed", name=op.f("ck_review_result_passed")),
        refs=about | {"corrects_id": "review_result"},
        unique="corrects_id",
        index=indexed,
    )
    table(
        "complaint",
        whole("committee_id"),
        whole("season"),
        text("reference"),
        truth("upheld", null=True),
        *record(),
        refs=about | {"corrects_id": "complaint"},
        unique="corrects_id",
        index=indexed,
    )
    table(
        "organisation_decision",
        text("code"),
        whole("organiser_id"),
        whole("committee_id", null=True),
        sa.Column("step", sa.String(32), nullable=False),
        whole("months", null=True),
        text("basis"),
        sa.Column("appraisal", sa.Text(), nullable=False),
        text("appraisal_sha256"),
        moment("decided_at"),
        text("decided_by"),
        moment("closed_at", null=True),
        text("closed_by", null=True),
        truth("confirmed", null=True),
        refs=about,
        unique="code",
        index=("committee_id", "organiser_id"),
    )
    table(
        "organisation_measure",
        whole("committee_id", null=True),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        text("basis"),
        whole("decision_id"),
        *record(),
        refs=about | {"decision_id": "organisation_decision", "corrects_id": "organisation_measure"},
        unique="corrects_id",
        index=indexed,
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
