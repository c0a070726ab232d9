"""Who sat where and when: the services on record, and the seats of panels that are still to sit.

Load counts everywhere, so the services of every committee are read; of panels that are not yet on record, the one
that governs its meeting counts: the last one approved by then, else the last one asked for. A mere proposal (one
that may not be filed) binds nobody. A seat whose service is on record counts as that record says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, aliased

from expert_pool import records
from expert_pool.columns import (
    AMONG,
    Arrays,
    Reading,
    Scope,
    as_date,
    fetch,
    kept,
    one_of,
    place,
    rows_where,
    select_rows,
)
from expert_pool.registry import (
    Agenda,
    Meeting,
    Outcome,
    PanelRecord,
    Role,
    Seat,
    Service,
)
from expert_pool.registry.base import Moment
from expert_pool.viewer import Viewer, counted
from solver.facts import Ints, Mask, day
from solver.problem import Previous

OUTCOMES = tuple(Outcome)
ROLES = tuple(Role)

SAT = [OUTCOMES.index(Outcome.ATTENDED), OUTCOMES.index(Outcome.LATE)]

CAME = [*SAT, OUTCOMES.index(Outcome.WITHDREW)]


SERVICES = Reading(
    Service,
    {
        "committee": Service.committee_id,
        "season": Service.season,
        "day": Service.holds_on,
        "role": place(Service.role, ROLES),
        "outcome": place(Service.outcome, OUTCOMES),
    },
)


@dataclass(frozen=True, slots=True)
class Sitting:
    """The sitting that facts are asked for: a committee's on a day, in a season. Its own seats are no load yet."""

    committee_id: int
    on: date
    season: int


@dataclass(frozen=True, slots=True)
class Booked:
    """A seat in a governing panel that is not on record as a service: whose (index), when, for which committee and
    season, whether as an alternate, the seat's id and owner, and the day its seal opens."""

    expert: int
    on: date
    committee_id: int
    season: int
    reserve: bool
    row: int
    organiser_id: int
    open_on: date


def services(session: Session, viewer: Viewer, scope: Scope, *, known_at: datetime) -> Arrays:
    """All services of experts on record, whatever their outcome."""
    return scope.read(session, SERVICES.counting(viewer), known_at=known_at)


def sat(rows: Arrays) -> Mask:
    """Which services were really done: attended, be it late."""
    return one_of(rows["outcome"], SAT)


def before(rows: Arrays, sitting: Sitting) -> Arrays:
    """The services done before a sitting; those of that day belong to it, or to a load of the same day."""
    return rows_where(rows, sat(rows) & (rows["day"] < day(sitting.on)))


def on_the_day(rows: Arrays, sitting: Sitting) -> Arrays:
    """The services of the day of a sitting on other panels, of those who came."""
    other = (rows["day"] == day(sitting.on)) & (rows["committee"] != sitting.committee_id)
    return rows_where(rows, other & one_of(rows["outcome"], CAME))


@kept
def _panels(viewer: Viewer, kind: str) -> Select[Any, *tuple[Any, ...]]:
    """The panels for meetings of a `season` or a day (`on`) that might bind somebody, as asked for by `known_at`;
    where a few experts are asked about, for meetings with a seat of theirs only. None of the columns stands behind
    the problem and the answer in the row: reading those is what would take time."""
    where = [
        PanelRecord.fileable,
        PanelRecord.requested_at <= bindparam("known_at"),
        (Agenda.season == bindparam("season")) | (Meeting.on == bindparam("on")),
        *counted(viewer, PanelRecord, Meeting, Agenda),
    ]
    if kind in ("one", "some"):
        theirs = aliased(PanelRecord)
        seated = select(theirs.meeting_id).join(Seat, Seat.panel_id == theirs.id)
        where.append(PanelRecord.meeting_id.in_(seated.where(AMONG[kind](Seat.expert_id))))
    return (
        select(
            PanelRecord.id,
            PanelRecord.code,
            PanelRecord.organiser_id,
            PanelRecord.approved_at,
            PanelRecord.requested_at,
            Meeting.id.label("meeting_id"),
            Meeting.on,
            Agenda.committee_id,
            Agenda.season,
        )
        .join(Meeting, Meeting.id == PanelRecord.meeting_id)
        .join(Agenda, Agenda.id == Meeting.agenda_id)
        .where(*where)
    )


@kept
def _seats(viewer: Viewer, kind: str) -> Select[Any, *tuple[Any, ...]]:
    """The seats in some `panels` of the experts that a scope of some kind finds."""
    return select(Seat.id, Seat.panel_id, Seat.expert_id, Seat.role, Seat.open_on).where(
        Seat.panel_id.in_(bindparam("panels", expanding=True)),
        AMONG[kind](Seat.expert_id),
        *counted(viewer, Seat),
    )


_ON_RECORD = select(Service.expert_id, Service.panel).where(
    Service.panel.in_(bindparam("panels", expanding=True)),
    records.standing(Service, bindparam("known_at", type_=Moment)),
)


@kept
def _season_before(viewer: Viewer) -> Select[Any, *tuple[Any, ...]]:
    """The last season before a `season` in which a `committee` sat by a day (`on`), as known at `known_at`."""
    return (
        select(Service.season)
        .where(
            Service.committee_id == bindparam("committee"),
            Service.season < bindparam("season"),
            Service.holds_on <= bindparam("on"),
            records.standing(Service, bindparam("known_at")),
            *counted(viewer, Service),
        )
        .order_by(Service.season.desc())
        .limit(1)
    )


def booked(
    session: Session, viewer: Viewer, scope: Scope, sitting: Sitting, *, known_at: datetime
) -> list[Booked]:
    """The seats, as known at a moment, in panels of the season or of the day, other than the sitting's own."""
    kind = scope.kind
    given = scope.given(kind)
    when = {"season": sitting.season, "on": sitting.on, "known_at": known_at}
    named = {} if kind in ("pool", "whole") else given
    panels = select_rows(session, _panels(viewer, kind if named else "whole"), {**when, **named}).all()
    governing = {}
    for panel in sorted(panels, key=lambda p: _weight(p, known_at)):
        governing[panel.meeting_id] = panel
    panels_by_id = {
        panel.id: panel
        for panel in governing.values()
        if (panel.committee_id, panel.on) != (sitting.committee_id, sitting.on)
    }
    if not panels_by_id:
        return []
    seats = select_rows(session, _seats(viewer, kind), {**given, "panels": list(panels_by_id)}).all()
    codes = {"panels": [p.code for p in panels_by_id.values()], "known_at": known_at}
    recorded = set(select_rows(session, _ON_RECORD, codes).all())
    index = scope.index(np.array([seat.expert_id for seat in seats], dtype=np.int64)).tolist()
    found = []
    for seat, expert in zip(seats, index, strict=True):
        panel = panels_by_id[seat.panel_id]
        if expert >= 0 and (seat.expert_id, panel.code) not in recorded:
            reserve = seat.role == Role.ALTERNATE
            found.append(
                Booked(
                    expert,
                    panel.on,
                    panel.committee_id,
                    panel.season,
                    reserve,
                    seat.id,
                    panel.organiser_id,
                    seat.open_on,
                )
            )
    return sorted(found, key=lambda b: b.row)


def consecutive_terms(
    session: Session, viewer: Viewer, rows: Arrays, size: int, sitting: Sitting, *, known_at: datetime
) -> Ints:
    """Per expert the number of directly preceding seasons with a seat on this committee.

    A season in which the committee did not sit is passed over. `rows` as `before` gives them.
    """
    own = rows_where(rows, rows["committee"] == sitting.committee_id)
    terms = np.zeros(size, dtype=np.int64)
    if not len(own["expert"]):
        return terms
    given = {"committee": sitting.committee_id, "on": sitting.on, "known_at": known_at}
    season, before_it = sitting.season, _season_before(viewer)
    unbroken = np.ones(size, dtype=bool)
    while (season := select_rows(session, before_it, {**given, "season": season}).scalar()) is not None:
        seated = np.zeros(size, dtype=bool)
        seated[own["expert"][own["season"] == season]] = True
        unbroken &= seated
        if not unbroken.any():
            break
        terms += unbroken
    return terms


def seats_this_season(rows: Arrays, seats: list[Booked], size: int, sitting: Sitting) -> Ints:
    """Per expert the seats of the season, on any committee, done or still to come; `rows` are all services."""
    own = (rows["committee"] == sitting.committee_id) & (rows["day"] == day(sitting.on))
    mine = rows["expert"][sat(rows) & (rows["season"] == sitting.season) & ~own]
    count = np.bincount(mine, minlength=size).astype(np.int64)
    for seat in seats:
        if seat.season == sitting.season and not seat.reserve:
            count[seat.expert] += 1
    return count


def previous_panels(
    session: Session, viewer: Viewer, scope: Scope, sitting: Sitting, *, known_at: datetime
) -> tuple[Previous, ...]:
    """The panels of this committee that sat before, newest first, by the services on record."""
    where = [
        Service.committee_id == sitting.committee_id,
        records.current(Service, sitting.on, known_at),
        Service.outcome.in_((Outcome.ATTENDED, Outcome.LATE)),
        *counted(viewer, Service),
    ]
    columns = {"expert": Service.expert_id, "day": Service.holds_on}
    rows, names = fetch(session, columns, where, {"panel": Service.panel})
    index = scope.index(rows["expert"])
    members: dict[str, set[int]] = {}
    everybody: dict[str, set[int]] = {}
    last: dict[str, int] = {}
    columns_of = (rows["expert"].tolist(), index.tolist(), rows["day"].tolist(), names["panel"])
    for expert, at, when, panel in zip(*columns_of, strict=True):
        if when >= day(sitting.on):
            continue
        everybody.setdefault(panel, set()).add(expert)
        last[panel] = max(when, last.get(panel, when))
        members.setdefault(panel, set()).update({at} if at >= 0 else ())
    newest = sorted(last, key=lambda panel: (-last[panel], panel))
    return tuple(
        Previous(panel, as_date(last[panel]), frozenset(members[panel]), len(everybody[panel]))
        for panel in newest
    )


def _weight(panel: object, known_at: datetime) -> tuple[bool, datetime, int]:
    """Greater for the panel that governs its meeting at a moment."""
    approved: datetime | None = panel.approved_at  # type: ignore[attr-defined]
    if approved is not None and approved <= known_at:
        return True, approved, panel.id  # type: ignore[attr-defined]
    return False, panel.requested_at, panel.id  # type: ignore[attr-defined]
