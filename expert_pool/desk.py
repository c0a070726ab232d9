"""What waits for an office: meetings ahead with the state of their panels, and what the year holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from expert_pool.registry import Agenda, Case, Committee, Meeting, PanelRecord, PanelState
from expert_pool.viewer import Viewer, visible

MOST = 50
"""So many meetings are told of at a time."""


@dataclass(frozen=True, slots=True)
class PlannedMeeting:
    """A meeting, its committee, how many cases it has, and the newest of its panels (None: nobody asked for one)."""

    code: str
    on: date
    place: str
    agenda: str
    season: int
    committee: str
    committee_name: str
    cases: int
    panel: str | None
    state: PanelState | None


def meetings_ahead(
    session: Session, viewer: Viewer, today: date, *, limit: int = MOST
) -> list[PlannedMeeting]:
    """The meetings from `today` on that a viewer may see, the next one first."""
    where = (Meeting.on >= today, *visible(viewer, Meeting))
    rows = session.execute(_meetings(viewer).where(*where).order_by(Meeting.on, Meeting.id).limit(limit))
    return [PlannedMeeting(*row) for row in rows]


def latest_meetings(
    session: Session, viewer: Viewer, today: date, *, limit: int = MOST
) -> list[PlannedMeeting]:
    """The meetings before `today` that a viewer may see, the latest first."""
    where = (Meeting.on < today, *visible(viewer, Meeting))
    order = (Meeting.on.desc(), Meeting.id.desc())
    rows = session.execute(_meetings(viewer).where(*where).order_by(*order).limit(limit))
    return [PlannedMeeting(*row) for row in rows]


def meeting_named(session: Session, viewer: Viewer, code: str) -> PlannedMeeting | None:
    """One meeting by its code; None where the viewer sees no such meeting."""
    row = session.execute(
        _meetings(viewer).where(Meeting.code == code, *visible(viewer, Meeting))
    ).one_or_none()
    return PlannedMeeting(*row) if row else None


def meetings_by_month(session: Session, viewer: Viewer, year: int) -> list[tuple[int, int]]:
    """How many meetings each month of a year has that a viewer may see, as (month, meetings), in order."""
    inside = Meeting.on.between(date(year, 1, 1), date(year, 12, 31))
    days = session.scalars(select(Meeting.on).where(inside, *visible(viewer, Meeting)))
    counts = [0] * 12
    for on in days:
        counts[on.month - 1] += 1
    return list(enumerate(counts, start=1))


def _meetings(viewer: Viewer) -> Select[Any]:
    """The columns of `PlannedMeeting`."""
    other = aliased(PanelRecord)
    newest = (
        select(func.max(other.id))
        .where(other.meeting_id == Meeting.id, *visible(viewer, other))
        .scalar_subquery()
    )
    cases = select(func.count(Case.id)).where(Case.agenda_id == Agenda.id).scalar_subquery()
    return (
        select(
            Meeting.code,
            Meeting.on,
            Meeting.place,
            Agenda.code,
            Agenda.season,
            Committee.code,
            Committee.name,
            cases,
            PanelRecord.code,
            PanelRecord.state,
        )
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .join(Committee, Committee.id == Agenda.committee_id)
        .outerjoin(PanelRecord, PanelRecord.id == newest)
    )
