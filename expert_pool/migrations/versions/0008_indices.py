"""Indices for a million experts; `expert_pool.registry.indices` says what each holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

FACTS = {
    "qualification": ("series", "rank"),
    "employment": ("employer_id", "main", "until"),
    "skill": ("specialty_id", "proficiency", "until"),
    "training": ("passed", "until"),
    "credit": ("points",),
    "service": ("committee_id", "season", "role", "outcome"),
    "absence": ("until",),
}
ALWAYS = ("id", "holds_on", "recorded_at", "void")
GOVERNING = ("meeting_id", "fileable", "requested_at", "approved_at", "organiser_id", "code")


def upgrade() -> None:
    for table, columns in FACTS.items():
        op.create_index(f"ix_{table}_facts", table, ["expert_id"], postgresql_include=[*ALWAYS, *columns])
        op.drop_index(f"ix_{table}_expert_id", table)
    op.create_index(
        "ix_membership_pool",
        "membership",
        ["pool_id", "expert_id"],
        postgresql_include=[*ALWAYS, "step", "until"],
    )
    op.drop_index("ix_membership_pool_id", "membership")
    op.create_index("ix_service_committee", "service", ["committee_id", "season"])
    op.drop_index("ix_service_committee_id", "service")
    op.create_index("ix_applicant_expert", "applicant", ["expert_id"])
    op.create_index(
        "ix_expert_list",
        "expert",
        ["code", "id", "name", "region"],
        postgresql_ops={"code": "text_pattern_ops"},
    )
    op.create_index("ix_expert_name", "expert", ["name", "id", "code", "region"])
    if op.get_bind().dialect.name == "postgresql":
        characters = sa.text("string_to_array(name, null)")
        op.create_index("ix_expert_name_characters", "expert", [characters], postgresql_using="gin")
    op.create_index("ix_panel_governing", "panel", list(GOVERNING))
    op.drop_index("ix_panel_meeting_id", "panel")


def downgrade() -> None:
    op.create_index("ix_panel_meeting_id", "panel", ["meeting_id"])
    op.drop_index("ix_panel_governing", "panel")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_expert_name_characters", "expert")
    op.drop_index("ix_expert_name", "expert")
    op.drop_index("ix_expert_list", "expert")
    op.drop_index("ix_applicant_expert", "applicant")
    op.create_index("ix_service_committee_id", "service", ["committee_id"])
    op.drop_index("ix_service_committee", "service")
    op.create_index("ix_membership_pool_id", "membership", ["pool_id"])
    op.drop_index("ix_membership_pool", "membership")
    for table in reversed(FACTS):
        op.create_index(f"ix_{table}_expert_id", table, ["expert_id"])
        op.drop_index(f"ix_{table}_facts", table)
