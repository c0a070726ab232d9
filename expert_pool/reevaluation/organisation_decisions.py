"""What is decided about committees and organisers: by one person on an appraisal, confirmed by another, recorded with its dates.

Also the records that appraisals rest on and no other room keeps: results as published, complaints.
"""

from __future__ import annotations

import hashlib
import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger, records
from expert_pool.reevaluation.working_days import deadline
from expert_pool.registry import (
    Committee,
    Complaint,
    OrganisationDecision,
    OrganisationMeasure,
    OrganisationStep,
    ReviewResult,
)
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault

if TYPE_CHECKING:
    from expert_pool.reevaluation.organisations import OrganisationAppraisal

_Row = TypeVar("_Row", ReviewResult, Complaint)
_OWN = frozenset({"id", "recorded_at", "recorded_by", "corrects_id", "void"})
"""What a row has of itself; the rest is what it says."""


@dataclass(frozen=True, slots=True)
class InForce:
    """A measure that was recorded: the step, its first and last day (None: without end), the row; and the last day and the
    moment of knowledge of the appraisal it was decided on: what counted there counts for no second measure."""

    step: OrganisationStep
    since: date
    until: date | None
    row: int
    counted: date
    known_at: datetime

    def holds(self, on: date) -> bool:
        """Whether it is in force on a day; a lift is no measure."""
        lasts = self.since <= on and (self.until is None or on <= self.until)
        return lasts and self.step is not OrganisationStep.LIFT


def measures_of(
    session: Session, viewer: Viewer, on: date, known_at: datetime
) -> dict[tuple[int, int | None], tuple[InForce, ...]]:
    """By organiser and committee (None: the organiser itself) the measures recorded until a day, in order; a lift ends what
    was in force before it."""
    rows = session.execute(
        select(OrganisationMeasure, OrganisationDecision.appraisal)
        .join(OrganisationDecision, OrganisationDecision.id == OrganisationMeasure.decision_id)
        .where(records.current(OrganisationMeasure, on, known_at), *visible(viewer, OrganisationMeasure))
        .order_by(OrganisationMeasure.holds_on, OrganisationMeasure.id)
    )
    found: dict[tuple[int, int | None], list[InForce]] = defaultdict(list)
    for row, appraisal in rows:
        own = found[row.organiser_id, row.committee_id]
        if row.step is OrganisationStep.LIFT:
            before = row.holds_on - timedelta(days=1)
            own[:] = [replace(one, until=min(one.until or before, before)) for one in own]
        seen = json.loads(appraisal)
        counted, known = date.fromisoformat(seen["as_of"]), datetime.fromisoformat(seen["known_at"])
        own.append(InForce(row.step, row.holds_on, row.until, row.id, counted, known))
    return {key: tuple(own) for key, own in found.items()}


def refuse_barred(session: Session, committee_id: int, on: date) -> None:
    """Refuse a sitting of a committee on a day on which it, or its organiser, is suspended or withdrawn from. Whoever asks
    learns the step and its days, whether or not the records behind are theirs. Raises Fault
    `organisations.suspended`, `organisations.withdrawn`."""
    committee = session.get_one(Committee, committee_id)
    measures = measures_of(session, Viewer.system("organisations"), on, clock.now())
    for whom in (committee_id, None):
        for one in measures.get((committee.organiser_id, whom), ()):
            if one.holds(on) and one.step is not OrganisationStep.RECTIFY:
                code = "organisations.withdrawn" if one.until is None else "organisations.suspended"
                raise Fault(code, committee.code, on=on, since=one.since, until=one.until)


def decide(
    session: Session,
    viewer: Viewer,
    appraisal: OrganisationAppraisal,
    step: OrganisationStep,
    *,
    months: int | None = None,
    basis: str,
) -> OrganisationDecision:
    """The first person's decision on an appraisal: it may be another than the one proposed, and says why (`basis`). Nothing
    is in force yet: the organisation has `reply_days` working days of the scheme to answer (a lift needs no answer).

    Raises Fault: `viewer.not_yours`, `organisations.no_basis`, `organisations.months` (rectifying and suspending have a
    length, withdrawing and lifting none), `organisations.nothing_to_lift`, `organisations.open` (one is waiting already).
    """
    viewer.require(appraisal.organiser_id, appraisal.committee_id)
    where = appraisal.committee or appraisal.organiser
    if not basis.strip():
        raise Fault("organisations.no_basis", where)
    lasts = step in (OrganisationStep.RECTIFY, OrganisationStep.SUSPEND)
    if lasts != (months is not None) or (months is not None and not 1 <= months <= 120):
        raise Fault("organisations.months", where, step=str(step), months=months)
    if step is OrganisationStep.LIFT and appraisal.standing is None:
        raise Fault("organisations.nothing_to_lift", where)
    ledger.hold(session, appraisal.organiser_id)
    waiting = session.scalar(
        select(OrganisationDecision.code).where(
            OrganisationDecision.organiser_id == appraisal.organiser_id,
            OrganisationDecision.committee_id.is_(None)
            if appraisal.committee_id is None
            else OrganisationDecision.committee_id == appraisal.committee_id,
            OrganisationDecision.confirmed.is_(None),
        )
    )
    if waiting is not None:
        raise Fault("organisations.open", where, decision=waiting)
    lifts = step is OrganisationStep.LIFT
    last = None if lifts else deadline(clock.today(), appraisal.reply_days)
    text = json.dumps(appraisal.document(), ensure_ascii=False, sort_keys=True)
    before = session.scalar(select(func.count(OrganisationDecision.id))) or 0
    row = OrganisationDecision(
        code=f"{where}-D{before + 1}",
        organiser_id=appraisal.organiser_id,
        committee_id=appraisal.committee_id,
        step=step,
        months=months,
        basis=basis.strip(),
        appraisal=text,
        appraisal_sha256=hashlib.sha256(text.encode()).hexdigest(),
        decided_at=clock.now(),
        decided_by=viewer.actor,
        closed_at=None,
        closed_by=None,
        confirmed=None,
        reply_until=None if last is None else last.day,
        reply_provisional=None if last is None else last.provisional,
        reply_days=None if last is None else appraisal.reply_days,
        heard_at=None,
    )
    session.add(row)
    session.flush()
    ledger.append(
        session,
        organiser_id=appraisal.organiser_id,
        actor=viewer.actor,
        action="organisation.decided",
        subject=row.code,
        payload={
            "step": str(step),
            "months": months,
            "appraisal": row.appraisal_sha256,
            "reply_until": row.reply_until,
        },
        rows=[row],
        at=row.decided_at,
    )
    return row


def confirm(
    session: Session, viewer: Viewer, code: str, *, refuse: bool = False
) -> OrganisationMeasure | None:
    """The second person's word. Confirmed, the measure holds from today and is recorded; refused, nothing is. Nothing is
    confirmed before the time to answer is over, unless the organisation said that it has nothing to add.

    Raises Fault: `organisations.decision_unknown`, `viewer.not_yours`, `organisations.closed`, `organisations.same_person`,
    `organisations.reply_time_runs`.
    """
    row = session.scalar(
        select(OrganisationDecision).where(
            OrganisationDecision.code == code, *visible(viewer, OrganisationDecision)
        )
    )
    if row is None:
        raise Fault("organisations.decision_unknown", code)
    viewer.require(row.organiser_id, row.committee_id)
    ledger.hold(session, row.organiser_id)
    session.refresh(row)
    if row.confirmed is not None:
        raise Fault("organisations.closed", code, by=row.closed_by)
    if row.decided_by == viewer.actor:
        raise Fault("organisations.same_person", code, actor=viewer.actor)
    until = reply_until(row)
    if not refuse and until is not None and row.heard_at is None and clock.today() <= until:
        raise Fault("organisations.reply_time_runs", code, until=until)
    row.confirmed, row.closed_at, row.closed_by = not refuse, clock.now(), viewer.actor
    ledger.append(
        session,
        organiser_id=row.organiser_id,
        actor=viewer.actor,
        action="organisation.refused" if refuse else "organisation.confirmed",
        subject=code,
        payload={"step": str(row.step), "months": row.months},
        rows=[row],
        at=row.closed_at,
    )
    if refuse:
        return None
    today = clock.today()
    return records.record(
        session,
        viewer,
        OrganisationMeasure(
            organiser_id=row.organiser_id,
            committee_id=row.committee_id,
            step=row.step,
            holds_on=today,
            until=None if row.months is None else months_after(today, row.months),
            basis=row.basis,
            decision_id=row.id,
        ),
    )


def decisions(session: Session, viewer: Viewer, *, open_only: bool = False) -> Sequence[OrganisationDecision]:
    """The decisions the viewer may see, by the moment they were made."""
    statement = select(OrganisationDecision).where(*visible(viewer, OrganisationDecision))
    if open_only:
        statement = statement.where(OrganisationDecision.confirmed.is_(None))
    return session.scalars(statement.order_by(OrganisationDecision.decided_at, OrganisationDecision.id)).all()


def record_results(
    session: Session,
    viewer: Viewer,
    committee: str,
    season: int,
    *,
    reviewed: int,
    passed: int,
    on: date,
    reference: str = "",
) -> ReviewResult:
    """Record how many cases a committee (code) reviewed and passed in a season, as published on a day. A second record of
    the season corrects the first; the same once more changes nothing.

    Raises Fault: `organisations.committee_unknown`, `organisations.results_wrong`, `organisations.season_ahead`, and as
    `records.record`.
    """
    identity, owner = _committee(session, viewer, committee)
    if season > on.year:
        raise Fault("organisations.season_ahead", committee, season=season, on=on)
    if not 0 <= passed <= reviewed:
        raise Fault("organisations.results_wrong", committee, reviewed=reviewed, passed=passed)
    new = ReviewResult(
        organiser_id=owner,
        committee_id=identity,
        season=season,
        reviewed=reviewed,
        passed=passed,
        reference=reference,
        holds_on=on,
    )
    old = session.scalar(
        select(ReviewResult).where(
            ReviewResult.committee_id == identity,
            ReviewResult.season == season,
            records.standing(ReviewResult),
        )
    )
    return _told(session, viewer, old, new)


def record_complaint(
    session: Session,
    viewer: Viewer,
    committee: str,
    season: int,
    *,
    reference: str,
    upheld: bool | None,
    on: date,
) -> Complaint:
    """Record a complaint about a committee (code), or (the same `reference` again) what was found about it: a correction.

    Raises Fault: `organisations.committee_unknown`, `organisations.no_reference`, and as `records.record`.
    """
    identity, owner = _committee(session, viewer, committee)
    if not reference.strip():
        raise Fault("organisations.no_reference", committee)
    new = Complaint(
        organiser_id=owner,
        committee_id=identity,
        season=season,
        reference=reference.strip(),
        upheld=upheld,
        holds_on=on,
    )
    old = session.scalar(
        select(Complaint).where(
            Complaint.committee_id == identity,
            Complaint.reference == new.reference,
            records.standing(Complaint),
        )
    )
    return _told(session, viewer, old, new)


def _told(session: Session, viewer: Viewer, old: _Row | None, new: _Row) -> _Row:
    """The record of what is told: a new one, a correction, or the old one where it says the same."""
    if old is None:
        return records.record(session, viewer, new)
    said = [column.key for column in inspect(type(new)).column_attrs if column.key not in _OWN]
    if all(getattr(old, name) == getattr(new, name) for name in said):
        return old
    return records.correct(session, viewer, old, new)


def _committee(session: Session, viewer: Viewer, code: str) -> tuple[int, int]:
    found = session.execute(
        select(Committee.id, Committee.organiser_id).where(
            Committee.code == code, *visible(viewer, Committee)
        )
    ).one_or_none()
    if found is None:
        raise Fault("organisations.committee_unknown", code)
    return found.id, found.organiser_id


def reply_until(row: OrganisationDecision) -> date | None:
    """The last day to answer. Where it was provisional, it may have moved since holidays were published: the later day
    holds."""
    if row.reply_until is None or not row.reply_provisional or row.reply_days is None:
        return row.reply_until
    return max(row.reply_until, deadline(row.decided_at.astimezone().date(), row.reply_days).day)


def months_after(on: date, months: int) -> date:
    """The last of so many whole months that begin on a day."""
    then = shifted(on, months)
    return then - timedelta(days=1) if then.day == on.day else then


def shifted(on: date, months: int) -> date:
    """The same day so many months later (or before), or the last of a shorter month."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))
