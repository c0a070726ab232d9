"""Notices, their channels and deliveries, addresses and preferences."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SOMEBODY = {"account_id": "account", "expert_id": "expert", "office_id": "organiser"}
ONE = " + ".join(f"(case when {column} is null then 0 else 1 end)" for column in SOMEBODY) + " = 1"


def text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=null)


def word(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(32), nullable=False)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def raw(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def table(
    name: str,
    *columns: Any,
    refs: dict[str, str],
    unique: tuple[tuple[str, ...], ...] = (),
    index: dict[str, list[str]] | None = None,
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
    for named, over in (index or {}).items():
        op.create_index(f"ix_{name}_{named}", name, over)


def somebody() -> list[Any]:
    return [whole(column, null=True) for column in SOMEBODY]


def upgrade() -> None:
    table(
        "notice",
        *somebody(),
        text("code"),
        text("cause"),
        text("kind"),
        raw("params_sealed", null=True),
        moment("at"),
        moment("read_at", null=True),
        sa.CheckConstraint(ONE, name=op.f("ck_notice_one")),
        refs=SOMEBODY,
        unique=(("code",), ("cause",)),
        index={column: [column, "id"] for column in SOMEBODY},
    )
    table(
        "notice_item",
        whole("notice_id"),
        text("cause"),
        refs={"notice_id": "notice"},
        unique=(("cause",),),
        index={"notice_id": ["notice_id"]},
    )
    table(
        "notice_delivery",
        whole("notice_id"),
        word("medium"),
        word("state"),
        flag("urgent"),
        moment("due_at"),
        whole("attempts"),
        text("claimed_by", null=True),
        moment("claimed_until", null=True),
        moment("ended_at", null=True),
        text("trouble", null=True),
        raw("to_sealed", null=True),
        refs={"notice_id": "notice"},
        unique=(("notice_id", "medium"),),
        index={"due": ["state", "due_at"]},
    )
    table(
        "notice_address",
        *somebody(),
        word("form"),
        raw("address_sealed", null=True),
        text("language"),
        moment("changed_at"),
        text("changed_by"),
        sa.CheckConstraint(ONE, name=op.f("ck_notice_address_one")),
        refs=SOMEBODY,
        unique=tuple((column, "form") for column in SOMEBODY),
    )
    table(
        "notice_preference",
        whole("account_id"),
        text("kind"),
        word("medium"),
        flag("wanted"),
        refs={"account_id": "account"},
        unique=(("account_id", "kind", "medium"),),
    )
    table(
        "notice_channel",
        word("medium"),
        flag("enabled"),
        raw("settings_sealed"),
        moment("changed_at"),
        text("changed_by"),
        refs={},
        unique=(("medium",),),
    )


def downgrade() -> None:
    for name in (
        "notice_channel",
        "notice_preference",
        "notice_address",
        "notice_delivery",
        "notice_item",
        "notice",
    ):
        op.drop_table(name)
