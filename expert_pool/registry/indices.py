"""The indices that answers rest on where there are a million experts; `docs/scale.md` shows the plans and says why each.

An index of facts holds all that `facts` reads of a table, so that on PostgreSQL the records of a committee's pool are
read from the index alone, in the order of the experts; SQLite has the experts only.
"""

from __future__ import annotations

from sqlalchemy import Index, func, null

from expert_pool.registry.base import Table
from expert_pool.registry.experts import (
    Absence,
    Credit,
    Employment,
    Expert,
    Membership,
    Qualification,
    Service,
    Skill,
    Training,
)
from expert_pool.registry.organisers import Applicant
from expert_pool.registry.panels import PanelRecord

READ: dict[type[Table], tuple[str, ...]] = {
    Qualification: ("series", "rank"),
    Employment: ("employer_id", "main", "until"),
    Skill: ("specialty_id", "proficiency", "until"),
    Training: ("passed", "until"),
    Credit: ("points",),
    Service: ("committee_id", "season", "role", "outcome"),
    Absence: ("until",),
}
"""By table, what facts read of it beside who, when and whether it counts."""

_ALWAYS = ("id", "holds_on", "recorded_at", "void")

for _table, _columns in READ.items():
    Index(
        f"ix_{_table.__tablename__}_facts",
        _table.__table__.c.expert_id,
        postgresql_include=[*_ALWAYS, *_columns],
    )

Index(
    "ix_membership_pool",
    Membership.pool_id,
    Membership.expert_id,
    postgresql_include=[*_ALWAYS, "step", "until"],
)
Index("ix_membership_until", Membership.until)
Index("ix_training_until", Training.until)
Index("ix_service_committee", Service.committee_id, Service.season)
Index("ix_applicant_expert", Applicant.expert_id)
Index(
    "ix_expert_list",
    Expert.code,
    Expert.id,
    Expert.name,
    Expert.region,
    postgresql_ops={"code": "text_pattern_ops"},
)
Index("ix_expert_name", Expert.name, Expert.id, Expert.code, Expert.region)
Index("ix_expert_initials", Expert.initials, Expert.id, postgresql_ops={"initials": "text_pattern_ops"})
Index("ix_expert_name_characters", func.string_to_array(Expert.name, null()), postgresql_using="gin").ddl_if(
    dialect="postgresql"
)
Index(
    "ix_panel_governing",
    PanelRecord.meeting_id,
    PanelRecord.fileable,
    PanelRecord.requested_at,
    PanelRecord.approved_at,
    PanelRecord.organiser_id,
    PanelRecord.code,
)
