"""Who may read which scores somebody gave: the rater, and one by one, for a purpose, the managers of the organiser that
holds them. Never ballots: the registry holds none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.privacy.purposes import expert_by, purpose_of, teller
from expert_pool.registry import Case, Look, Organiser, Rating, RatingCriterion, RatingScale
from expert_pool.viewer import Viewer, visible

FIELD = "scores"
"""What a look at scores names as its field."""


@dataclass(frozen=True, slots=True)
class ScoreGiven:
    """One score on a scale of `low`..`high`. `stands` is False where it was taken back or corrected since."""

    case: str
    criterion: str
    name: str
    score: int
    low: int
    high: int
    source: str
    holds_on: date
    recorded_at: datetime
    organiser: str
    stands: bool


def scores_given(session: Session, viewer: Viewer, expert_id: int) -> tuple[ScoreGiven, ...]:
    """The scores an expert gave that the viewer's organisers hold, by day, corrected ones included. Whoever shows them to
    anybody but the expert writes the look down: `look_at_scores`."""
    rows = session.execute(
        select(Rating, Case.code, RatingCriterion.code, RatingCriterion.name, RatingScale, Organiser.code)
        .join(Case, Case.id == Rating.case_id)
        .join(RatingCriterion, RatingCriterion.id == Rating.criterion_id)
        .join(RatingScale, RatingScale.id == RatingCriterion.scale_id)
        .join(Organiser, Organiser.id == Rating.organiser_id)
        .where(Rating.rater_id == expert_id, *visible(viewer, Rating))
        .order_by(Rating.holds_on, Case.code, RatingCriterion.code, Rating.id)
    ).all()
    corrected = {row.corrects_id for row, *_ in rows}
    return tuple(
        ScoreGiven(
            case,
            criterion,
            name,
            row.score,
            scale.low,
            scale.high,
            str(row.source),
            row.holds_on,
            row.recorded_at,
            organiser,
            not row.void and row.id not in corrected,
        )
        for row, case, criterion, name, scale, organiser in rows
    )


def look_at_scores(session: Session, viewer: Viewer, code: str, purpose: str) -> tuple[ScoreGiven, ...]:
    """The scores of one expert of the viewer's pools, with the look written down: it is on the ledger in the transaction
    that gives the answer, and the expert reads of it.

    Raises Fault `privacy.purpose_missing`, `privacy.purpose_long`, `privacy.expert_unknown`.
    """
    said = purpose_of(purpose)
    expert = expert_by(session, code)
    organiser_id = teller(session, viewer, expert)
    found = scores_given(session, viewer, expert.id)
    look = Look(
        organiser_id=organiser_id,
        expert_id=expert.id,
        at=clock.now(),
        actor=viewer.actor,
        fields=FIELD,
        purpose=said,
    )
    session.add(look)
    ledger.append(
        session,
        organiser_id=organiser_id,
        actor=viewer.actor,
        action="expert.scores_seen",
        subject=code,
        payload={"scores": len(found), "purpose": said},
        rows=[look],
        at=look.at,
    )
    return found
