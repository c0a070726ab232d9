"""Accounts, their grants, sessions and tokens."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


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


OWNED: dict[str, str] = {"account_id": "account"}


def upgrade() -> None:
    table(
        "account",
        text("name"),
        text("language"),
        whole("organiser_id", null=True),
        whole("expert_id", null=True),
        whole("employer_id", null=True),
        moment("created_at"),
        text("created_by"),
        moment("disabled_at", null=True),
        text("password", null=True),
        moment("password_at", null=True),
        moment("password_until", null=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        moment("totp_at", null=True),
        whole("totp_step"),
        refs={"organiser_id": "organiser", "expert_id": "expert", "employer_id": "employer"},
        unique=(("name",),),
    )
    table(
        "account_grant",
        whole("account_id"),
        text("code"),
        text("role"),
        whole("organiser_id", null=True),
        whole("committee_id", null=True),
        moment("granted_at"),
        text("granted_by"),
        moment("revoked_at", null=True),
        text("revoked_by", null=True),
        refs=OWNED | {"organiser_id": "organiser", "committee_id": "committee"},
        unique=(("code",),),
        index=("account_id",),
    )
    table(
        "account_session",
        whole("account_id"),
        text("token_sha256"),
        text("method"),
        moment("began_at"),
        moment("seen_at"),
        moment("expires_at"),
        moment("ended_at", null=True),
        refs=OWNED,
        unique=(("token_sha256",),),
        index=("account_id",),
    )
    table(
        "api_token",
        whole("account_id"),
        text("code"),
        text("name"),
        text("token_sha256"),
        text("scopes", null=True),
        moment("created_at"),
        moment("expires_at"),
        moment("revoked_at", null=True),
        refs=OWNED,
        unique=(("code",), ("token_sha256",)),
        index=("account_id",),
    )
    table(
        "recovery_code",
        whole("account_id"),
        text("code_sha256"),
        moment("used_at", null=True),
        refs=OWNED,
        index=("account_id",),
    )
    table(
        "sign_in_trouble",
        text("source"),
        whole("failures"),
        moment("last_at"),
        moment("until", null=True),
        refs={},
        unique=(("source",),),
    )
    table(
        "oidc_link",
        whole("account_id"),
        text("issuer"),
        text("subject"),
        moment("linked_at"),
        refs=OWNED,
        unique=(("issuer", "subject"),),
        index=("account_id",),
    )
    table(
        "oidc_invitation",
        whole("account_id"),
        text("issuer"),
        text("code_sha256"),
        moment("created_at"),
        moment("expires_at"),
        moment("used_at", null=True),
        refs=OWNED,
        unique=(("code_sha256",),),
        index=("account_id",),
    )


def downgrade() -> None:
    for name in (
        "oidc_invitation",
        "oidc_link",
        "sign_in_trouble",
        "recovery_code",
        "api_token",
        "account_session",
        "account_grant",
        "account",
    ):
        op.drop_table(name)
