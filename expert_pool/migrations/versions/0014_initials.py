"""The initials of experts' names in pinyin, for finding them as one types; worked out of the names that are there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from expert_pool.initials import initials

revision = "0014"
down_revision = "0013"

_AT_ONCE = 5_000
_expert = sa.table("expert", sa.column("id"), sa.column("name"), sa.column("initials"))


def upgrade() -> None:
    op.add_column("expert", sa.Column("initials", sa.String(), nullable=False, server_default=""))
    after, connection = -1, op.get_bind()
    wanted = sa.select(_expert.c.id, _expert.c.name).order_by(_expert.c.id).limit(_AT_ONCE)
    change = sa.update(_expert).where(_expert.c.id == sa.bindparam("of"))
    while found := connection.execute(wanted.where(_expert.c.id > after)).all():
        rows = [{"of": row.id, "initials": initials(row.name)} for row in found]
        connection.execute(change.values(initials=sa.bindparam("initials")), rows)
        after = found[-1].id
    op.create_index(
        "ix_expert_initials",
        "expert",
        ["initials", "id"],
        postgresql_ops={"initials": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.drop_index("ix_expert_initials", "expert")
    op.drop_column("expert", "initials")
