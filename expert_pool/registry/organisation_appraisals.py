"""What committees and organisers are appraised by, and what was decided about them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Recorded, Table


class OrganisationStep(StrEnum):
    """What may be decided about a committee or organiser: the ladder, the gravest last, and the end of a measure."""

    LIFT = "lift"
    RECTIFY = "rectify"
    SUSPEND = "suspend"
    WITHDRAW = "withdraw"


class ReviewResult(Recorded, Table):
    """How many cases a committee reviewed in a season, and how many passed, as published on `holds_on`."""

    __tablename__ = "review_result"
    __table_args__ = (CheckConstraint("passed between 0 and reviewed", name="passed"),)
    committee_id: Mapped[int] = mapped_column(ForeignKey("committee.id"), index=True)
    season: Mapped[int]
    reviewed: Mapped[int]
    passed: Mapped[int]
    reference: Mapped[str] = mapped_column(default="")


class Complaint(Recorded, Table):
    """A complaint about a committee, received on `holds_on`. `upheld` None: not decided yet. The file itself stays
    where `reference` says; nothing of it stands here."""

    __tablename__ = "complaint"
    committee_id: Mapped[int] = mapped_column(ForeignKey("committee.id"), index=True)
    season: Mapped[int]
    reference: Mapped[str]
    upheld: Mapped[bool | None]


class OrganisationDecision(Table):
    """A decision about a committee (or, without one, an organiser) under way: `decided_by` proposes it on an appraisal,
    another account confirms or refuses it. `appraisal` is the JSON the first person saw."""

    __tablename__ = "organisation_decision"
    code: Mapped[str] = mapped_column(unique=True)
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    committee_id: Mapped[int | None] = mapped_column(ForeignKey("committee.id"), index=True)
    step: Mapped[OrganisationStep]
    months: Mapped[int | None]
    basis: Mapped[str]
    appraisal: Mapped[str] = mapped_column(Text)
    appraisal_sha256: Mapped[str]
    decided_at: Mapped[datetime]
    decided_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    confirmed: Mapped[bool | None]
    """None: open; False: refused by the second person."""
    reply_until: Mapped[date | None]
    """The last day on which the organisation may answer; None: it has nothing to answer (a lift)."""
    reply_provisional: Mapped[bool | None]
    reply_days: Mapped[int | None]
    heard_at: Mapped[datetime | None]
    """When the organisation said that it has nothing to add."""


class OrganisationReply(Table):
    """What a committee or organiser answers to a decision about it that is under way."""

    __tablename__ = "organisation_reply"
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("organisation_decision.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    text: Mapped[str] = mapped_column(Text)


class OrganisationMeasure(Recorded, Table):
    """A measure in force from `holds_on` until `until` (None: without end), by a confirmed decision. A lift ends what is
    in force."""

    __tablename__ = "organisation_measure"
    committee_id: Mapped[int | None] = mapped_column(ForeignKey("committee.id"), index=True)
    step: Mapped[OrganisationStep]
    until: Mapped[date | None]
    basis: Mapped[str]
    decision_id: Mapped[int] = mapped_column(ForeignKey("organisation_decision.id"))
