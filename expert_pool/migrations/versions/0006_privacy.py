"""Purposes of looks and exports, erasures, replies of experts, shares of sealing keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "look",
    "export",
    "export_file",
    "erasure",
    "reply",
    "mark_secret",
    "supervisor",
    "host_seal",
    "seal_share",
)


def text(name: str, *, null: bool = False, long: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text() if long else sa.String(), nullable=null)


def word(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(32), nullable=False)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def raw(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


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
    about = {"organiser_id": "organiser", "expert_id": "expert"}
    table(
        "look",
        whole("organiser_id"),
        whole("expert_id"),
        moment("at"),
        text("actor"),
        text("fields"),
        text("purpose", long=True),
        refs=about,
        index=("organiser_id", "expert_id"),
    )
    table(
        "export",
        text("serial"),
        whole("organiser_id"),
        moment("at"),
        text("actor"),
        text("purpose", long=True),
        text("content"),
        text("form"),
        raw("experts", null=True),
        moment("finished_at", null=True),
        refs={"organiser_id": "organiser"},
        unique=(("serial",),),
        index=("organiser_id",),
    )
    table(
        "export_file",
        whole("export_id"),
        text("name"),
        text("sha256"),
        whole("size"),
        refs={"export_id": "export"},
        index=("export_id", "sha256"),
    )
    table(
        "erasure",
        text("code"),
        whole("expert_id"),
        whole("organiser_id"),
        word("state"),
        word("basis"),
        text("note", long=True),
        moment("proposed_at"),
        text("proposed_by"),
        moment("decided_at", null=True),
        text("decided_by", null=True),
        refs=about,
        unique=(("code",),),
        index=("expert_id", "organiser_id"),
    )
    table(
        "reply",
        whole("expert_id"),
        text("about_table"),
        whole("about_id"),
        text("text", long=True),
        sa.Column("holds_on", sa.Date(), nullable=False),
        moment("recorded_at"),
        text("recorded_by"),
        sa.Column("void", sa.Boolean(), nullable=False),
        whole("organiser_id"),
        whole("corrects_id", null=True),
        refs={**about, "corrects_id": "reply"},
        unique=(("corrects_id",),),
        index=("expert_id", "holds_on", "organiser_id"),
    )
    table("mark_secret", raw("secret_sealed"), moment("retired_at"), refs={})
    table(
        "supervisor",
        text("code"),
        whole("organiser_id"),
        text("public_key"),
        moment("registered_at"),
        text("registered_by"),
        moment("retired_at", null=True),
        text("retired_by", null=True),
        refs={"organiser_id": "organiser"},
        unique=(("code",),),
        index=("organiser_id",),
    )
    table(
        "host_seal",
        whole("panel_id"),
        whole("organiser_id"),
        whole("needed"),
        text("commitment"),
        raw("content"),
        moment("made_at"),
        moment("opened_at", null=True),
        text("opened_by", null=True),
        refs={"panel_id": "panel", "organiser_id": "organiser"},
        unique=(("panel_id",),),
        index=("organiser_id",),
    )
    table(
        "seal_share",
        whole("seal_id"),
        whole("supervisor_id"),
        whole("number"),
        text("share_sha256"),
        raw("box"),
        raw("released", null=True),
        moment("released_at", null=True),
        refs={"seal_id": "host_seal", "supervisor_id": "supervisor"},
        unique=(("seal_id", "number"),),
        index=("seal_id", "supervisor_id"),
    )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
