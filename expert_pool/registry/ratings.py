"""Written scores: the scales and criteria of score sheets, and what each rater gave each case. Never ballots."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from expert_pool.registry.base import Recorded, Table


class RatingSource(StrEnum):
    """Where a score was written down. A secret ballot is no source."""

    OPINION = "opinion"
    """The written opinion of a review group (评议组书面意见)."""
    SCORE_SHEET = "score_sheet"


class RatingScale(Table):
    """A scale of whole scores from `low` to `high`, on which its criteria are scored."""

    __tablename__ = "rating_scale"
    __table_args__ = (CheckConstraint("low < high", name="range"),)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organiser_id: Mapped[int] = mapped_column(ForeignKey("organiser.id"), index=True)
    low: Mapped[int]
    high: Mapped[int]


class RatingCriterion(Table):
    """What is scored, on which scale."""

    __tablename__ = "rating_criterion"
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    scale_id: Mapped[int] = mapped_column(ForeignKey("rating_scale.id"), index=True)


class Rating(Recorded, Table):
    """The score that a rater gave a case on a criterion on `holds_on`. A correction is a new row, as of all records."""

    __tablename__ = "rating"
    __table_args__ = (Index("ix_rating_case", "case_id", "rater_id", "criterion_id"),)
    case_id: Mapped[int] = mapped_column(ForeignKey("case.id"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("expert.id"), index=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey("rating_criterion.id"))
    score: Mapped[int]
    source: Mapped[RatingSource]
