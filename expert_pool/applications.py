"""Applications as those who handed them in follow them: where each is, and whether it was reviewed. Nothing of a panel is
told but that there was one, after its day."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session

from expert_pool import clock
from expert_pool.registry import (
    Agenda,
    Applicant,
    Case,
    Committee,
    Employer,
    Meeting,
    PanelRecord,
    PanelState,
    Specialty,
)
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault


class ApplicationState(StrEnum):
    """How far an application is: on an agenda (已受理), with a day to be reviewed on (已排期), reviewed (已评审)."""

    ENTERED = "entered"
    SCHEDULED = "scheduled"
    REVIEWED = "reviewed"


def state_of(meets_on: date | None, reviewed_on: date | None) -> ApplicationState:
    """The state that the two days of `applications` make."""
    if reviewed_on is not None:
        return ApplicationState.REVIEWED
    return ApplicationState.ENTERED if meets_on is None else ApplicationState.SCHEDULED


def applications(
    viewer: Viewer,
    employer_id: int | None,
    *,
    agenda: str | None = None,
    committee: str | None = None,
    season: int | None = None,
    state: ApplicationState | None = None,
) -> Select[Any, *tuple[Any, ...]]:
    """The applications a viewer may see, unordered; `employer_id`: only those of this employer, None of all.

    `meets_on` is the next day the agenda's committee meets about it, `reviewed_on` the last day it did so with a panel
    that had force; the day itself counts as to come.
    """
    meets_on, reviewed_on = _to_come(), _held()
    statement: Select[Any, *tuple[Any, ...]] = (
        select(
            Case.id,
            Case.code,
            Case.level,
            Case.directed,
            Agenda.code.label("agenda"),
            Agenda.title,
            Agenda.season,
            Committee.code.label("committee"),
            Committee.name.label("committee_name"),
            Applicant.code.label("applicant"),
            Applicant.name.label("applicant_name"),
            (Specialty.version + "/" + Specialty.code).label("specialty"),
            Employer.code.label("employer"),
            meets_on.label("meets_on"),
            reviewed_on.label("reviewed_on"),
        )
        .join(Agenda, Agenda.id == Case.agenda_id)
        .join(Committee, Committee.id == Agenda.committee_id)
        .join(Applicant, Applicant.id == Case.applicant_id)
        .join(Specialty, Specialty.id == Case.specialty_id)
        .join(Employer, Employer.id == Case.employer_id)
        .where(*visible(viewer, Case))
    )
    if employer_id is not None:
        statement = statement.where(Case.employer_id == employer_id)
    for column, value in ((Agenda.code, agenda), (Committee.code, committee), (Agenda.season, season)):
        if value is not None:
            statement = statement.where(column == value)
    return statement if state is None else statement.where(_is(state, meets_on, reviewed_on))


def application(session: Session, viewer: Viewer, employer_id: int | None, code: str) -> Any:
    """One of `applications`, by the case's code. Raises Fault `entering.thing_unknown`."""
    found = session.execute(applications(viewer, employer_id).where(Case.code == code)).one_or_none()
    if found is None:
        raise Fault("entering.thing_unknown", code, what="cases")
    return found


def _to_come() -> Any:
    days = select(func.min(Meeting.on)).where(
        Meeting.agenda_id == Case.agenda_id, Meeting.on >= clock.today()
    )
    return days.correlate(Case).scalar_subquery()


def _held() -> Any:
    sat = exists().where(PanelRecord.meeting_id == Meeting.id, PanelRecord.state == PanelState.APPROVED)
    days = select(func.max(Meeting.on)).where(
        Meeting.agenda_id == Case.agenda_id, Meeting.on < clock.today(), sat
    )
    return days.correlate(Case).scalar_subquery()


def _is(state: ApplicationState, meets_on: Any, reviewed_on: Any) -> ColumnElement[bool]:
    if state is ApplicationState.REVIEWED:
        held: ColumnElement[bool] = reviewed_on.is_not(None)
        return held
    waits = meets_on.is_(None) if state is ApplicationState.ENTERED else meets_on.is_not(None)
    return and_(reviewed_on.is_(None), waits)
