"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


def text(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=null)


def word(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(32), nullable=null)


def day(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Date(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def raw(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def table(name: str, *columns: Any, refs: dict[str, str], unique: tuple[tuple[str, ...], ...] = ()) -> None:
    """Create a table with its id, its references (column -> table) and its unique columns, all named."""
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{name}_{column}")
            for column, other in refs.items()
        ),
        *(sa.UniqueConstraint(*names, name=f"uq_{name}_{names[0]}") for names in unique),
    )


def record(name: str, *columns: Any, refs: dict[str, str]) -> None:
    """Create a table of records: with its two times, its owner, and what it corrects."""
    table(
        name,
        *columns,
        day("holds_on"),
        moment("recorded_at"),
        text("recorded_by"),
        flag("void"),
        whole("organiser_id"),
        whole("corrects_id", null=True),
        refs={**refs, "organiser_id": "organiser", "corrects_id": name},
        unique=(("corrects_id",),),
    )
    index(name, "holds_on", "organiser_id")


def index(name: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{name}_{column}", name, [column])


def upgrade() -> None:
    table("employer", text("code"), flag("legal_person"), text("region"), refs={}, unique=(("code",),))
    table(
        "expert",
        text("code"),
        text("pseudonym"),
        text("name"),
        word("gender", null=True),
        day("born", null=True),
        text("region"),
        raw("national_id_sealed", null=True),
        text("national_id_mark", null=True),
        raw("phone_sealed", null=True),
        text("phone_mark", null=True),
        refs={},
        unique=(
            ("code",),
            ("national_id_mark",),
            ("pseudonym",),
        ),
    )
    index("expert", "phone_mark")
    table("installation", moment("began_at"), text("key_check"), refs={})
    table(
        "organiser",
        text("code"),
        text("name"),
        whole("parent_id", null=True),
        refs={"parent_id": "organiser"},
        unique=(("code",),),
    )
    table(
        "specialty",
        text("version"),
        text("code"),
        text("name"),
        word("depth"),
        whole("parent_id", null=True),
        day("since"),
        day("until", null=True),
        refs={"parent_id": "specialty"},
        unique=(
            (
                "version",
                "code",
            ),
        ),
    )
    index("specialty", "code")
    record("absence", whole("expert_id"), day("until"), text("reason"), refs={"expert_id": "expert"})
    index("absence", "expert_id")
    table(
        "applicant",
        text("code"),
        text("name"),
        whole("expert_id", null=True),
        refs={"expert_id": "expert"},
        unique=(("code",),),
    )
    record("credit", whole("expert_id"), text("event"), whole("points"), refs={"expert_id": "expert"})
    index("credit", "expert_id")
    record(
        "discipline",
        whole("expert_id"),
        word("sanction"),
        day("until", null=True),
        text("basis"),
        whole("revokes_id", null=True),
        refs={"expert_id": "expert", "revokes_id": "discipline"},
    )
    index("discipline", "expert_id")
    record(
        "employer_link",
        whole("employer_id"),
        whole("other_id"),
        word("kind"),
        day("until", null=True),
        refs={"employer_id": "employer", "other_id": "employer"},
    )
    index("employer_link", "employer_id", "other_id")
    record(
        "employer_name",
        whole("employer_id"),
        word("kind"),
        text("name"),
        day("until", null=True),
        refs={"employer_id": "employer"},
    )
    index("employer_name", "employer_id", "name")
    record("employer_sector", whole("employer_id"), word("sector"), refs={"employer_id": "employer"})
    index("employer_sector", "employer_id")
    record(
        "employment",
        whole("expert_id"),
        whole("employer_id"),
        flag("main"),
        day("until", null=True),
        refs={"expert_id": "expert", "employer_id": "employer"},
    )
    index("employment", "employer_id", "expert_id")
    table(
        "ledger_entry",
        whole("organiser_id"),
        whole("sequence"),
        moment("at"),
        text("actor"),
        text("action"),
        text("subject"),
        raw("payload_salt"),
        text("payload_sha256"),
        text("attested_sha256"),
        text("previous_sha256"),
        text("sha256"),
        refs={"organiser_id": "organiser"},
        unique=(
            (
                "organiser_id",
                "sequence",
            ),
        ),
    )
    table(
        "pool",
        text("code"),
        text("name"),
        whole("organiser_id"),
        refs={"organiser_id": "organiser"},
        unique=(("code",),),
    )
    record("qualification", whole("expert_id"), text("series"), word("rank"), refs={"expert_id": "expert"})
    index("qualification", "expert_id")
    record(
        "skill",
        whole("expert_id"),
        whole("specialty_id"),
        whole("proficiency"),
        day("until", null=True),
        sa.CheckConstraint("proficiency between 1 and 3", name="ck_skill_proficiency"),
        refs={"expert_id": "expert", "specialty_id": "specialty"},
    )
    index("skill", "expert_id", "specialty_id")
    table(
        "specialty_mapping",
        whole("old_id"),
        whole("new_id"),
        day("since"),
        refs={"old_id": "specialty", "new_id": "specialty"},
        unique=(
            (
                "old_id",
                "new_id",
            ),
        ),
    )
    record(
        "training",
        whole("expert_id"),
        text("course"),
        flag("passed"),
        day("until"),
        refs={"expert_id": "expert"},
    )
    index("training", "expert_id")
    table(
        "attestation",
        whole("entry_id"),
        text("table"),
        whole("row_id"),
        raw("salt"),
        text("sha256"),
        refs={"entry_id": "ledger_entry"},
    )
    index("attestation", "entry_id")
    op.create_index("ix_attestation_row", "attestation", ["table", "row_id"])
    table(
        "committee",
        text("code"),
        text("name"),
        whole("organiser_id"),
        whole("pool_id"),
        word("level"),
        word("form"),
        text("series"),
        refs={"organiser_id": "organiser", "pool_id": "pool"},
        unique=(("code",),),
    )
    record(
        "membership",
        whole("expert_id"),
        whole("pool_id"),
        word("step"),
        day("until", null=True),
        text("reason"),
        refs={"expert_id": "expert", "pool_id": "pool"},
    )
    index("membership", "expert_id", "pool_id")
    table(
        "agenda",
        text("code"),
        whole("committee_id"),
        text("title"),
        whole("season"),
        refs={"committee_id": "committee"},
        unique=(("code",),),
    )
    index("agenda", "committee_id")
    record(
        "filing",
        word("kind"),
        whole("committee_id"),
        text("reference"),
        day("until"),
        refs={"committee_id": "committee"},
    )
    index("filing", "committee_id")
    record(
        "service",
        whole("expert_id"),
        whole("committee_id"),
        whole("season"),
        text("panel"),
        word("role"),
        word("outcome"),
        refs={"expert_id": "expert", "committee_id": "committee"},
    )
    index("service", "committee_id", "expert_id", "panel")
    table(
        "case",
        text("code"),
        whole("agenda_id"),
        whole("applicant_id"),
        whole("specialty_id"),
        whole("employer_id"),
        word("level"),
        flag("directed"),
        refs={
            "agenda_id": "agenda",
            "applicant_id": "applicant",
            "specialty_id": "specialty",
            "employer_id": "employer",
        },
        unique=(("code",),),
    )
    index("case", "agenda_id", "applicant_id", "employer_id")
    table(
        "meeting",
        text("code"),
        whole("agenda_id"),
        day("on"),
        text("place"),
        refs={"agenda_id": "agenda"},
        unique=(
            (
                "agenda_id",
                "on",
            ),
            ("code",),
        ),
    )
    index("meeting", "agenda_id")
    table(
        "panel",
        text("code"),
        whole("meeting_id"),
        whole("organiser_id"),
        word("state"),
        text("policy"),
        text("problem_sha256"),
        raw("problem"),
        sa.Column("answer", sa.Text(), nullable=False),
        flag("fileable"),
        moment("requested_at"),
        text("requested_by"),
        moment("approved_at", null=True),
        text("approved_by", null=True),
        refs={"meeting_id": "meeting", "organiser_id": "organiser"},
        unique=(("code",),),
    )
    index("panel", "meeting_id", "organiser_id")
    record(
        "relation",
        word("kind"),
        whole("expert_id"),
        whole("other_expert_id", null=True),
        whole("applicant_id", null=True),
        whole("employer_id", null=True),
        whole("case_id", null=True),
        day("since", null=True),
        day("until", null=True),
        text("source"),
        sa.CheckConstraint(
            "(case when other_expert_id is null then 0 else 1 end) + (case when applicant_id is null then 0 else 1 end) + (case when employer_id is null then 0 else 1 end) + (case when case_id is null then 0 else 1 end) = 1",
            name="ck_relation_one_other",
        ),
        refs={
            "expert_id": "expert",
            "other_expert_id": "expert",
            "applicant_id": "applicant",
            "employer_id": "employer",
            "case_id": "case",
        },
    )
    index("relation", "applicant_id", "case_id", "employer_id", "expert_id", "other_expert_id")
    table(
        "seat",
        whole("panel_id"),
        whole("expert_id"),
        text("group"),
        word("role"),
        whole("call_order", null=True),
        day("open_on"),
        refs={"panel_id": "panel", "expert_id": "expert"},
    )
    index("seat", "expert_id", "panel_id")


def downgrade() -> None:
    for name in (
        "seat",
        "relation",
        "panel",
        "meeting",
        "case",
        "service",
        "filing",
        "agenda",
        "membership",
        "committee",
        "attestation",
        "training",
        "specialty_mapping",
        "skill",
        "qualification",
        "pool",
        "ledger_entry",
        "employment",
        "employer_sector",
        "employer_name",
        "employer_link",
        "discipline",
        "credit",
        "applicant",
        "absence",
        "specialty",
        "organiser",
        "installation",
        "expert",
        "employer",
    ):
        op.drop_table(name)
