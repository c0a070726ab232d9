"""Cycles of re-evaluation: cases, appeals, decisions, evidence."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("cycle", "cycle_case", "cycle_appeal", "cycle_decision", "cycle_evidence")


def text(name: str, *, null: bool = False, long: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text() if long else sa.String(), nullable=null)


def word(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(32), nullable=False)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def day(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Date(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def flag(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=null)


def raw(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=True)


def table(
    name: str,
    *columns: Any,
    refs: dict[str, str],
    unique: tuple[tuple[str, ...], ...] = (),
    index: tuple[str, ...] = (),
) -> None:
    """Create a table with its id, its references (column -> table), its unique columns and indices, all named."""
    op.create_table(
        name,
        whole("id"),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{name}_{column}")
            for column, other in refs.items()
        ),
        *(sa.UniqueConstraint(*names, name=f"uq_{name}_{names[0]}") for names in unique),
    )
    for column in index:
        op.create_index(f"ix_{name}_{column}", name, [column])


def upgrade() -> None:
    table(
        "cycle",
        text("code"),
        whole("organiser_id"),
        whole("pool_id"),
        text("period"),
        whole("attempt"),
        day("as_of"),
        word("state"),
        text("scheme"),
        text("scheme_version"),
        text("scheme_sha256"),
        text("scheme_text", long=True),
        text("policy"),
        text("policy_sha256"),
        moment("opened_at"),
        text("opened_by"),
        moment("known_at", null=True),
        text("computed_by", null=True),
        whole("ledger_sequence", null=True),
        text("ledger_sha256", null=True),
        text("measurement_sha256", null=True),
        text("flags", null=True, long=True),
        text("appraisal_sha256", null=True),
        whole("experts", null=True),
        text("counts", null=True, long=True),
        raw("kept"),
        moment("ended_at", null=True),
        text("ended_by", null=True),
        text("ended_why", null=True, long=True),
        refs={"organiser_id": "organiser", "pool_id": "pool"},
        unique=(("code",), ("pool_id", "period", "attempt")),
        index=("organiser_id",),
    )
    table(
        "cycle_case",
        whole("cycle_id"),
        whole("expert_id"),
        whole("organiser_id"),
        word("state"),
        text("measure"),
        whole("months", null=True),
        text("decided_by"),
        flag("by_conduct"),
        text("reasons", long=True),
        text("amended_by", null=True),
        text("amended_why", null=True, long=True),
        moment("notified_at", null=True),
        day("reply_until", null=True),
        flag("reply_provisional", null=True),
        moment("heard_at", null=True),
        moment("executed_at", null=True),
        text("executed", null=True, long=True),
        day("appeal_until", null=True),
        flag("appeal_provisional", null=True),
        text("corrected", null=True, long=True),
        refs={"cycle_id": "cycle", "expert_id": "expert", "organiser_id": "organiser"},
        unique=(("cycle_id", "expert_id"),),
        index=("expert_id", "organiser_id", "state"),
    )
    table(
        "cycle_appeal",
        whole("case_id"),
        whole("organiser_id"),
        whole("reply_id"),
        moment("at"),
        moment("settled_at", null=True),
        refs={"case_id": "cycle_case", "organiser_id": "organiser", "reply_id": "reply"},
        unique=(("case_id",),),
        index=("organiser_id",),
    )
    table(
        "cycle_decision",
        whole("case_id"),
        whole("expert_id"),
        whole("organiser_id"),
        whole("appeal_id", null=True),
        text("measure"),
        whole("months", null=True),
        text("reason", long=True),
        moment("at"),
        text("by"),
        word("verdict"),
        moment("answered_at", null=True),
        text("answered_by", null=True),
        text("answer", null=True, long=True),
        refs={
            "case_id": "cycle_case",
            "expert_id": "expert",
            "organiser_id": "organiser",
            "appeal_id": "cycle_appeal",
        },
        index=("case_id", "expert_id", "organiser_id"),
    )
    table(
        "cycle_evidence",
        whole("case_id"),
        whole("expert_id"),
        whole("organiser_id"),
        whole("reply_id"),
        whole("number"),
        text("name"),
        text("media_type"),
        whole("size"),
        text("sha256"),
        raw("content_sealed"),
        refs={
            "case_id": "cycle_case",
            "expert_id": "expert",
            "organiser_id": "organiser",
            "reply_id": "reply",
        },
        unique=(("reply_id", "number"),),
        index=("case_id", "expert_id", "organiser_id"),
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
