"""Who sat at which meeting over which cases, in a time that is past: the seats of approved panels and the services on
record, brought together by meeting, with the recusals that the panel lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from expert_pool import records
from expert_pool.registry import (
    Agenda,
    Committee,
    Expert,
    Meeting,
    Outcome,
    PanelRecord,
    Role,
    Seat,
    Service,
)
from expert_pool.viewer import Viewer, visible
from solver.answer import Answer

CAME = frozenset({Outcome.ATTENDED, Outcome.LATE, Outcome.WITHDREW})


@dataclass(frozen=True, slots=True)
class Sat:
    """One meeting and who sat there: `seated` by id, each with the group of the seat, None where no seat is on record.

    `panel` is the approved panel, None where there is none: then `recused` is None too, since nobody wrote down who
    recused. `recused` holds (expert id, case code); `group_of` the group of each case by its code.
    """

    committee: str
    level: str
    organiser_id: int
    meeting: str
    on: date
    season: int
    agenda_id: int
    panel: PanelRecord | None
    seated: Mapping[int, str | None]
    recused: frozenset[tuple[int, str]] | None
    group_of: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Served:
    """The sittings of a time in order of day and meeting, and whose services (expert ids, one each) belong to no meeting
    with an agenda on record."""

    sittings: tuple[Sat, ...]
    without_cases: tuple[int, ...]


@dataclass(slots=True)
class _Meeting:
    row: Any
    panel: PanelRecord | None = None
    came: set[int] = field(default_factory=set)
    stayed_away: set[int] = field(default_factory=set)


def served(session: Session, viewer: Viewer, since: date, until: date, known_at: datetime) -> Served:
    """The sittings from `since` to `until` that the viewer may see, as known at a moment.

    A member of an approved panel sat unless a service says otherwise; an alternate only where a service says so.
    """
    meetings = _meetings(session, viewer, since, until)
    _panels(session, viewer, meetings, known_at)
    alone = _services(session, viewer, meetings, since, until, known_at)
    seats = _seats(session, viewer, [m.panel.id for m in meetings.values() if m.panel is not None])
    sittings = []
    for meeting in meetings.values():
        groups = {} if meeting.panel is None else seats.get(meeting.panel.id, {})
        seated: dict[int, str | None] = {
            expert: group
            for expert, (group, role) in groups.items()
            if role is not Role.ALTERNATE and expert not in meeting.stayed_away
        }
        for expert in meeting.came:
            seated[expert] = groups[expert][0] if expert in groups else None
        if seated:
            sittings.append(_sat(session, meeting, seated))
    return Served(tuple(sittings), tuple(alone))


def _meetings(session: Session, viewer: Viewer, since: date, until: date) -> dict[int, _Meeting]:
    rows = session.execute(
        select(
            Meeting.id,
            Meeting.code,
            Meeting.on,
            Meeting.agenda_id,
            Agenda.season,
            Agenda.committee_id,
            Committee.code.label("committee"),
            Committee.level,
            Committee.organiser_id,
        )
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .join(Committee, Committee.id == Agenda.committee_id)
        .where(Meeting.on >= since, Meeting.on <= until, *visible(viewer, Meeting))
        .order_by(Meeting.on, Meeting.code)
    )
    return {row.id: _Meeting(row) for row in rows}


def _panels(session: Session, viewer: Viewer, meetings: dict[int, _Meeting], known_at: datetime) -> None:
    """The panel of each meeting: the one approved last by then."""
    if not meetings:
        return
    approved = session.scalars(
        select(PanelRecord)
        .options(defer(PanelRecord.problem))
        .where(
            PanelRecord.meeting_id.in_(meetings),
            PanelRecord.approved_at <= known_at,
            *visible(viewer, PanelRecord),
        )
        .order_by(PanelRecord.approved_at, PanelRecord.id)
    )
    for panel in approved:
        meetings[panel.meeting_id].panel = panel


def _services(
    session: Session,
    viewer: Viewer,
    meetings: dict[int, _Meeting],
    since: date,
    until: date,
    known_at: datetime,
) -> list[int]:
    """Puts each service to its meeting, known by its panel, its own code, or as the committee's only one of the day;
    returns whose services have none."""
    by_code: dict[str, _Meeting] = {}
    by_day: dict[tuple[int, date], list[_Meeting]] = defaultdict(list)
    for meeting in meetings.values():
        by_code[meeting.row.code] = meeting
        if meeting.panel is not None:
            by_code[meeting.panel.code] = meeting
        by_day[meeting.row.committee_id, meeting.row.on].append(meeting)
    rows = session.execute(
        select(Service.expert_id, Service.committee_id, Service.holds_on, Service.panel, Service.outcome)
        .where(
            Service.holds_on >= since,
            Service.holds_on <= until,
            records.standing(Service, known_at),
            *visible(viewer, Service),
        )
        .order_by(Service.id)
    )
    alone: list[int] = []
    for row in rows:
        found = by_code.get(row.panel)
        if found is None or found.row.committee_id != row.committee_id:
            that_day = by_day.get((row.committee_id, row.holds_on), [])
            found = that_day[0] if len(that_day) == 1 else None
        if found is None:
            if row.outcome in CAME:
                alone.append(row.expert_id)
        elif row.outcome in CAME:
            found.came.add(row.expert_id)
        else:
            found.stayed_away.add(row.expert_id)
    return alone


def _seats(session: Session, viewer: Viewer, panels: list[int]) -> dict[int, dict[int, tuple[str, Role]]]:
    """Per panel (id), the group and role of each expert (id) with a seat."""
    seats: dict[int, dict[int, tuple[str, Role]]] = defaultdict(dict)
    rows = session.execute(
        select(Seat.panel_id, Seat.expert_id, Seat.group, Seat.role).where(
            Seat.panel_id.in_(panels), *visible(viewer, Seat)
        )
    )
    for row in rows:
        seats[row.panel_id][row.expert_id] = (row.group, row.role)
    return seats


def _sat(session: Session, meeting: _Meeting, seated: dict[int, str | None]) -> Sat:
    row, panel = meeting.row, meeting.panel
    recused: frozenset[tuple[int, str]] | None = None
    group_of: dict[str, str] = {}
    if panel is not None:
        answer = Answer.model_validate_json(panel.answer)
        group_of = {case.case: case.group for case in answer.cases}
        named = {name for case in answer.cases for name in case.recused}
        rows = session.execute(select(Expert.pseudonym, Expert.id).where(Expert.pseudonym.in_(named)))
        ids = {row.pseudonym: row.id for row in rows}
        recused = frozenset(
            (ids[name], case.case) for case in answer.cases for name in case.recused if name in ids
        )
    return Sat(
        committee=row.committee,
        level=str(row.level),
        organiser_id=row.organiser_id,
        meeting=row.code,
        on=row.on,
        season=row.season,
        agenda_id=row.agenda_id,
        panel=panel,
        seated=seated,
        recused=recused,
        group_of=group_of,
    )
