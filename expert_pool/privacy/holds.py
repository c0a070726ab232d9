"""Why an expert's personal data may not go yet.

Only experts who left every pool are asked about what still runs, so that nobody learns from an answer here who sits in a
sealed panel: of a member the answer is always the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from expert_pool import records
from expert_pool.columns import years_after
from expert_pool.registry import (
    Agenda,
    Applicant,
    Case,
    Discipline,
    Meeting,
    Membership,
    PanelRecord,
    PanelState,
    Sanction,
    Seat,
    Service,
    Step,
)

_ENDING = (Sanction.SUSPENSION, Sanction.RESTRICTION, Sanction.RETRAINING)


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason to wait: a message id. `until` is the last day it holds, None where that is not known or not told."""

    code: str
    until: date | None = None

    @property
    def params(self) -> dict[str, Any]:
        return {"until": self.until.isoformat() if self.until else None}


def holds_on(session: Session, expert_id: int, on: date, *, service_years: int | None = None) -> list[Hold]:
    """Everything that keeps an expert's personal data on a day. `service_years`: how long names must stay after the
    last service, where a text or the installation says so."""
    if _member(session, expert_id, on):
        return [Hold("privacy.hold_member")]
    found = []
    if _seated(session, expert_id, on) or _applies(session, expert_id, on):
        found.append(Hold("privacy.hold_running"))
    sanctions = in_force(session, expert_id, on)
    found += [Hold("privacy.hold_sanction", s.until) for s in sanctions if s.sanction in _ENDING]
    last = session.scalar(
        select(Service.holds_on)
        .where(Service.expert_id == expert_id, records.standing(Service))
        .order_by(Service.holds_on.desc())
        .limit(1)
    )
    if service_years is not None and last is not None and (until := years_after(last, service_years)) >= on:
        found.append(Hold("privacy.hold_archive", until))
    return found


def in_force(session: Session, expert_id: int, on: date) -> list[Discipline]:
    """The sanctions of an expert that stand, are not revoked and not over; those still to begin too."""
    revoked = select(Discipline.revokes_id).where(
        Discipline.revokes_id.is_not(None), Discipline.holds_on <= on, records.standing(Discipline)
    )
    return list(
        session.scalars(
            select(Discipline)
            .where(
                Discipline.expert_id == expert_id,
                Discipline.sanction.not_in((Sanction.WARNING, Sanction.REVOCATION)),
                or_(Discipline.until.is_(None), Discipline.until >= on),
                Discipline.id.not_in(revoked),
                records.standing(Discipline),
            )
            .order_by(Discipline.id)
        )
    )


def banned(session: Session, expert_id: int, on: date) -> bool:
    """Whether a ban is in force, which an erasure must keep enforceable."""
    return any(sanction.sanction is Sanction.BAN for sanction in in_force(session, expert_id, on))


def left_on(session: Session, expert_id: int, on: date) -> date | None:
    """The day an expert's last membership of any pool ended, by leaving or by its term; None for a member, and for
    somebody who never was one."""
    if _member(session, expert_id, on):
        return None
    last = {row.pool_id: row for row in _steps(session, expert_id)}
    days = [row.holds_on if row.step is Step.LEFT else row.until or row.holds_on for row in last.values()]
    return max(days, default=None)


def _member(session: Session, expert_id: int, on: date) -> bool:
    """Whether the latest step in any pool is a candidacy or an admission that is not over."""
    last = {row.pool_id: row for row in _steps(session, expert_id)}
    return any(row.step is not Step.LEFT and (row.until is None or row.until >= on) for row in last.values())


def _steps(session: Session, expert_id: int) -> list[Membership]:
    return list(
        session.scalars(
            select(Membership)
            .where(Membership.expert_id == expert_id, records.standing(Membership))
            .order_by(Membership.holds_on, Membership.recorded_at, Membership.id)
        )
    )


def _seated(session: Session, expert_id: int, on: date) -> bool:
    """In a panel that is still to sit, or whose seal is still to open."""
    seats = (
        select(Seat.id)
        .join(PanelRecord, PanelRecord.id == Seat.panel_id)
        .join(Meeting, Meeting.id == PanelRecord.meeting_id)
        .where(
            Seat.expert_id == expert_id,
            PanelRecord.state != PanelState.REPLACED,
            or_(Meeting.on >= on, Seat.open_on > on),
        )
    )
    return session.scalar(seats.limit(1)) is not None


def _applies(session: Session, expert_id: int, on: date) -> bool:
    """With an application of their own that a meeting is still to review."""
    met = select(Meeting.agenda_id).where(Meeting.on < on)
    cases = (
        select(Case.id)
        .join(Applicant, Applicant.id == Case.applicant_id)
        .join(Agenda, Agenda.id == Case.agenda_id)
        .where(Applicant.expert_id == expert_id, Agenda.id.not_in(met))
    )
    return session.scalar(cases.limit(1)) is not None
