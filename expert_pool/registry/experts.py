"""Experts and the records that say who they are and what they did."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, validates

from expert_pool.initials import initials
from expert_pool.registry.base import UNATTESTED, Recorded, Table


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"


class Rank(StrEnum):
    """Title ranks, lowest first (初级, 中级, 副高级, 正高级)."""

    JUNIOR = "junior"
    MID = "mid"
    DEPUTY_SENIOR = "deputy_senior"
    FULL_SENIOR = "full_senior"


class Step(StrEnum):
    """What happened to a membership of a pool."""

    CANDIDATE = "candidate"
    ADMITTED = "admitted"
    LEFT = "left"


class Sanction(StrEnum):
    """Discipline: what was decided."""

    WARNING = "warning"
    RESTRICTION = "restriction"
    RETRAINING = "retraining"
    SUSPENSION = "suspension"
    BAN = "ban"
    REVOCATION = "revocation"


class Outcome(StrEnum):
    """How a service ended."""

    ATTENDED = "attended"
    LATE = "late"
    ABSENT = "absent"
    DECLINED = "declined"
    WITHDREW = "withdrew"


class Role(StrEnum):
    CHAIR = "chair"
    DEPUTY = "deputy"
    MEMBER = "member"
    ALTERNATE = "alternate"


class RelationKind(StrEnum):
    """Stored relations. Same employer is not among them: it follows from employments."""

    RELATIVE = "relative"
    CO_AUTHOR = "co_author"
    ADVISOR = "advisor"
    RECOMMENDER = "recommender"
    OBJECTION = "objection"
    SAME_CASE = "same_case"
    STAKE = "stake"
    OTHER = "other"


class Expert(Table):
    """One expert, one row for the installation.

    National ID and phone are sealed (encrypted); `..._mark` is a keyed hash for search. `pseudonym` stands for
    the expert in every file that leaves the registry. `initials` follow from the name, and the ledger speaks for that.
    """

    __tablename__ = "expert"
    code: Mapped[str] = mapped_column(unique=True)
    pseudonym: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    initials: Mapped[str] = mapped_column(default="", server_default="", info={UNATTESTED: True})
    gender: Mapped[Gender | None]
    born: Mapped[date | None]
    region: Mapped[str]
    national_id_sealed: Mapped[bytes | None]
    national_id_mark: Mapped[str | None] = mapped_column(unique=True)
    phone_sealed: Mapped[bytes | None]
    phone_mark: Mapped[str | None] = mapped_column(index=True)

    @validates("name")
    def _follow(self, _: str, name: str) -> str:
        self.initials = initials(name)
        return name


class Qualification(Recorded, Table):
    """A title of `rank` in a series, awarded on `holds_on`."""

    __tablename__ = "qualification"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    series: Mapped[str]
    rank: Mapped[Rank]


class Employment(Recorded, Table):
    """Work for an employer from `holds_on` until `until`. The one marked `main` counts for shares and caps;
    every one counts for conflicts."""

    __tablename__ = "employment"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), index=True)
    main: Mapped[bool]
    until: Mapped[date | None]


class Skill(Recorded, Table):
    """Holds a sub-specialty from `holds_on` until `until`, with proficiency 1 (works in it) to 3 (leads it)."""

    __tablename__ = "skill"
    __table_args__ = (CheckConstraint("proficiency between 1 and 3", name="proficiency"),)
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    specialty_id: Mapped[int] = mapped_column(ForeignKey("specialty.id"), index=True)
    proficiency: Mapped[int]
    until: Mapped[date | None]


class Membership(Recorded, Table):
    """A step of an expert's way through a pool on `holds_on`; an admission lasts until its term is over."""

    __tablename__ = "membership"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    step: Mapped[Step]
    until: Mapped[date | None]
    reason: Mapped[str] = mapped_column(default="")


class Training(Recorded, Table):
    """A course finished on `holds_on`; counts until `until` when passed."""

    __tablename__ = "training"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    course: Mapped[str]
    passed: Mapped[bool]
    until: Mapped[date]


class Credit(Recorded, Table):
    """Points gained or lost (信用记分) for an event on `holds_on`."""

    __tablename__ = "credit"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    event: Mapped[str]
    points: Mapped[int]


class Discipline(Recorded, Table):
    """A sanction from `holds_on` until `until` (None: for life). A revocation names what it revokes."""

    __tablename__ = "discipline"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    sanction: Mapped[Sanction]
    until: Mapped[date | None]
    basis: Mapped[str]
    revokes_id: Mapped[int | None] = mapped_column(ForeignKey("discipline.id"))


class Service(Recorded, Table):
    """A seat held in a committee's panel: which season, which sitting (`panel` names it), how it ended."""

    __tablename__ = "service"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    committee_id: Mapped[int] = mapped_column(ForeignKey("committee.id"))
    season: Mapped[int]
    panel: Mapped[str] = mapped_column(index=True)
    role: Mapped[Role]
    outcome: Mapped[Outcome]


class Absence(Recorded, Table):
    """Not available from `holds_on` until `until`."""

    __tablename__ = "absence"
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"))
    until: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")


class Relation(Recorded, Table):
    """A relation of an expert with exactly one other party, from `since` until `until`.

    Both may be unknown (None): then it is taken to hold. `holds_on` is the day it was declared or found.
    Directed: the expert is the advisor, recommender, holder of the stake, or the one objected to.
    """

    __tablename__ = "relation"
    __table_args__ = (
        CheckConstraint(
            "(case when other_expert_id is null then 0 else 1 end)"
            " + (case when applicant_id is null then 0 else 1 end)"
            " + (case when employer_id is null then 0 else 1 end)"
            " + (case when case_id is null then 0 else 1 end) = 1",
            name="one_other",
        ),
    )
    kind: Mapped[RelationKind]
    expert_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    other_expert_id: Mapped[int | None] = mapped_column(ForeignKey("expert.id"), index=True)
    applicant_id: Mapped[int | None] = mapped_column(ForeignKey("applicant.id"), index=True)
    employer_id: Mapped[int | None] = mapped_column(ForeignKey("employer.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case.id"), index=True)
    since: Mapped[date | None]
    until: Mapped[date | None]
    source: Mapped[str] = mapped_column(default="")
