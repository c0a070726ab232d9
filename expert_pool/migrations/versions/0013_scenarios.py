"""Scenarios and what came of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def text(name: str, *, null: bool = False, long: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text() if long else sa.String(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def table(name: str, *columns: Any, refs: dict[str, str], unique: tuple[tuple[str, ...], ...]) -> None:
    """Create a table with its id, its references (column -> table) and its unique columns, all named."""
    op.create_table(
        name,
        whole("id"),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{name}_{column}")
            for column, other in refs.items()
        ),
        *(sa.UniqueConstraint(*several, name=f"uq_{name}_{several[0]}") for several in unique),
    )


def upgrade() -> None:
    about = {"organiser_id": "organiser", "committee_id": "committee"}
    table(
        "scenario",
        text("code"),
        whole("version"),
        whole("organiser_id"),
        whole("committee_id", null=True),
        whole("parent_id", null=True),
        text("title_zh"),
        text("title_en"),
        text("text", long=True),
        text("sha256"),
        moment("made_at"),
        text("made_by"),
        refs=about | {"parent_id": "scenario"},
        unique=(("code", "version"),),
    )
    table(
        "simulation",
        text("code"),
        text("run"),
        whole("scenario_id"),
        whole("organiser_id"),
        whole("committee_id", null=True),
        moment("known_at"),
        moment("made_at"),
        text("made_by"),
        text("inputs_sha256", null=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        text("document", null=True, long=True),
        moment("ended_at", null=True),
        refs=about | {"scenario_id": "scenario"},
        unique=(("code",), ("run",)),
    )
    table(
        "simulation_part",
        whole("simulation_id"),
        text("name"),
        text("text", long=True),
        refs={"simulation_id": "simulation"},
        unique=(("simulation_id", "name"),),
    )
    for name, column in (
        ("scenario", "organiser_id"),
        ("scenario", "committee_id"),
        ("simulation", "scenario_id"),
        ("simulation", "organiser_id"),
        ("simulation", "committee_id"),
    ):
        op.create_index(f"ix_{name}_{column}", name, [column])


def downgrade() -> None:
    for name in ("simulation_part", "simulation", "scenario"):
        op.drop_table(name)
