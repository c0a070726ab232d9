"""Organisers, their pools and committees, the filings that give them force, and what they meet about."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Recorded, Table


class Level(StrEnum):
    SENIOR = "senior"
    MID = "mid"
    JUNIOR = "junior"


class Form(StrEnum):
    """How a committee came to its right to review (自主评审, 社会化评审, 评聘结合, 联盟评审, 委托评审, 定向评价)."""

    SELF_REVIEW = "self_review"
    SOCIAL = "social"
    REVIEW_AND_HIRE = "review_and_hire"
    ALLIANCE = "alliance"
    DELEGATED = "delegated"
    DIRECTED = "directed"


class FilingKind(StrEnum):
    """The three filings: without all of them that are due, no seat."""

    POOL = "pool"
    COMMITTEE = "committee"
    RESULTS = "results"


class Organiser(Table):
    """The organising unit (组建单位) that owns pools, committees and records."""

    __tablename__ = "organiser"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organiser.id"))


class Pool(Table):
    """An expert pool (评委会专家库) that committees draw on."""

    __tablename__ = "pool"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"))


class Committee(Table):
    """A title review committee (评审委员会): its level, form, pool and the title series it reviews."""

    __tablename__ = "committee"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"))
    pool_id: Mapped[int] = mapped_column(ForeignKey("pool.id"))
    level: Mapped[Level]
    form: Mapped[Form]
    series: Mapped[str]


class Filing(Recorded, Table):
    """A filing approved on `holds_on` and good until `until`, of a pool, a committee or its results of a season."""

    __tablename__ = "filing"
    kind: Mapped[FilingKind]
    committee_id: Mapped[int] = mapped_column(ForeignKey("committee.id"), index=True)
    reference: Mapped[str]
    until: Mapped[date]


class Agenda(Table):
    """The applications one meeting is to review."""

    __tablename__ = "agenda"
    code: Mapped[str] = mapped_column(unique=True)
    committee_id: Mapped[int] = mapped_column(ForeignKey("committee.id"), index=True)
    title: Mapped[str]
    season: Mapped[int]


class Applicant(Table):
    """Who applies. `expert_id` when the applicant is also a registered expert (who then may not sit)."""

    __tablename__ = "applicant"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    expert_id: Mapped[int | None] = mapped_column(ForeignKey("expert.id"))


class Case(Table):
    """One application (申报): by whom, in which sub-specialty, from which employer, for which level."""

    __tablename__ = "case"
    code: Mapped[str] = mapped_column(unique=True)
    agenda_id: Mapped[int] = mapped_column(ForeignKey("agenda.id"), index=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    specialty_id: Mapped[int] = mapped_column(ForeignKey("specialty.id"))
    employer_id: Mapped[int] = mapped_column(ForeignKey("employer.id"), index=True)
    level: Mapped[Level]
    directed: Mapped[bool] = mapped_column(default=False)
    """Directed evaluation (定向评价), e.g. rural posts, judged in a group of its own."""


class Meeting(Table):
    """A sitting of a committee over one agenda."""

    __tablename__ = "meeting"
    __table_args__ = (UniqueConstraint("agenda_id", "on"),)
    code: Mapped[str] = mapped_column(unique=True)
    agenda_id: Mapped[int] = mapped_column(ForeignKey("agenda.id"), index=True)
    on: Mapped[date]
    place: Mapped[str] = mapped_column(default="")
