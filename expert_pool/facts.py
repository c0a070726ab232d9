"""Facts about the experts of a pool on a day, as known at a moment: columns over the whole pool. Nothing is judged here.

| fact | what it says |
|---|---|
| state | where the expert is in the life cycle of this pool (see `lifecycle`) |
| in_pool | is a member of the committee's pool: admitted, not left, inside the term; whatever the sanctions |
| term_until | last day of the latest term |
| trained_until | last day that any passed course counts |
| credit | the policy's base and the points of its window (of all times when it states none) |
| rank | highest title rank in the committee's series, 1 junior to 4 full senior |
| rank_years | full years since the latest award of that rank |
| age | in full years on the day |
| employer | code of the legal person worked for |
| sector, region | of that legal person |
| gender | female or male |
| available | not absent that day, and on no other panel that sits that day |
| consecutive_terms | directly preceding seasons of this committee with a seat that was really taken |
| years_since_served | full years since a seat on any committee was last taken |
| seats_this_season | seats of the season on any committee, taken or still to come |
| applicant | has an application in this season, on any agenda |

Of several employments on the day the one marked main counts, of several such (or none) the one longest held; an
employer is read as its legal person (see `employers`). What is not known is MISSING, and a gate does not let it in.
Whatever was recorded about an expert counts, whoever recorded it: facts are verdicts, and show no record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from expert_pool import attributes, clock, records, sittings
from expert_pool.attributes import At, Behind, Known, words
from expert_pool.columns import (
    AMONG,
    Arrays,
    Reading,
    Scope,
    best_row,
    distinct,
    fetch,
    full_years,
    kept,
    packing,
    place,
    rows_where,
    rows_where_standing,
    select_rows,
    take,
    truth,
    unpacked,
)
from expert_pool.lifecycle import (
    STEPS,
    Decision,
    Events,
    Hold,
    Source,
    State,
    holds,
    membership_events,
    run,
    sanction_events,
    sitting_events,
    terms,
)
from expert_pool.region.names import MARK
from expert_pool.registry import Committee, Discipline, Expert, Gender, Membership, Role, Sanction, Step
from expert_pool.sittings import Booked, Sitting
from expert_pool.specialties import Catalogue, Held, catalogue_on, held_on
from expert_pool.viewer import Viewer, counted, visible
from solver.errors import Fault
from solver.facts import Column, Ints, day
from solver.problem import Previous

if TYPE_CHECKING:
    from expert_pool.policies.policy import Policy


@dataclass(frozen=True)
class PoolFacts:
    """What is known of the experts of a pool on a day, in the order of their pseudonyms.

    `behind` names the row each fact rests on, where there is one. `events` are the events of the life cycle of all
    until that day, `sanctions` what they were held by. `held` are their skills as `catalogue` reads them; `previous`
    the committee's panels before, as indices of experts here. `made`: there are people among them who were made up.
    """

    on: date
    known_at: datetime
    committee_id: int
    pool_id: int
    season: int
    expert_ids: Ints
    codes: tuple[str, ...]
    pseudonyms: tuple[str, ...]
    facts: Mapping[str, Column]
    behind: Mapping[str, Behind]
    events: Events
    sanctions: tuple[Hold, ...]
    catalogue: Catalogue
    held: Held
    previous: tuple[Previous, ...]
    made: bool


def facts_on(
    session: Session,
    viewer: Viewer,
    *,
    committee_id: int,
    on: date,
    known_at: datetime | None = None,
    policy: Policy,
    season: int | None = None,
    expert_ids: list[int] | None = None,
    for_agenda: bool = True,
) -> PoolFacts:
    """The facts of everybody who was ever admitted to the committee's pool by `on`, or of `expert_ids` only.

    `known_at`: as known then (default now). `season`: that of the agenda (default the year of `on`). Without
    `for_agenda` their skills and the committee's panels before are left out, which only a problem needs.
    Raises Fault `facts.committee_unknown` when the viewer sees no such committee.
    """
    moment = known_at or clock.now()
    committee = select_rows(session, _committee(viewer), {"id": committee_id}).one_or_none()
    if committee is None:
        raise Fault("facts.committee_unknown", str(committee_id))
    sitting = Sitting(committee_id, on, on.year if season is None else season)
    return _facts(session, viewer, committee, sitting, moment, policy, expert_ids, for_agenda)


def _facts(
    session: Session,
    viewer: Viewer,
    committee: Any,
    sitting: Sitting,
    moment: datetime,
    policy: Policy,
    expert_ids: list[int] | None,
    for_agenda: bool,
) -> PoolFacts:
    on = sitting.on
    steps = _steps(session, viewer, committee.pool_id, moment, expert_ids)
    if expert_ids is None:
        ever = (steps["step"] == STEPS.index(Step.ADMITTED)) & (steps["day"] <= day(on))
        expert_ids = distinct(steps["expert"][ever])
    people = _people(session, expert_ids, committee.pool_id)
    at = At(session, viewer, people.scope, on, moment)
    steps = people.scope.only(steps)

    parts = [_who(people, on)]
    trained, passed = attributes.training(at, policy.terms.training_years)
    parts.append(trained)
    done = sittings.services(session, viewer, at.scope, known_at=moment)
    seats = sittings.booked(session, viewer, at.scope, sitting, known_at=moment)
    today = sittings.on_the_day(done, sitting)
    booked_today = [seat for seat in seats if seat.on == on]
    decisions = _decisions(at)
    sanctions = tuple(holds(decisions, _passes(passed, decisions)))
    events = Events.joined(
        [
            *membership_events(steps, policy.terms.term_years),
            sanction_events(sanctions),
            _sittings(at, today, booked_today),
        ]
    )
    parts += [
        _membership(at, events, steps, policy.terms.term_years),
        attributes.credit(at, policy.terms.credit_base, policy.terms.credit_years),
        attributes.title(at, committee.series),
        attributes.employment(at),
        attributes.availability(at, booked_today, today),
        attributes.application(at, sitting.season),
        _service(at, done, seats, sitting),
    ]
    catalogue = catalogue_on(session, on) if for_agenda else Catalogue({})
    nothing = np.empty(0, dtype=np.int64)
    return PoolFacts(
        on=on,
        known_at=moment,
        committee_id=sitting.committee_id,
        pool_id=committee.pool_id,
        season=sitting.season,
        expert_ids=at.scope.ids,
        codes=people.codes,
        pseudonyms=people.pseudonyms,
        facts={name: column for part in parts for name, column in part.facts.items()},
        behind={name: rows for part in parts for name, rows in part.behind.items()},
        events=events,
        sanctions=sanctions,
        catalogue=catalogue,
        made=people.made,
        held=(
            held_on(session, at.scope, catalogue, on=on, known_at=moment)
            if for_agenda
            else Held(nothing, nothing, nothing)
        ),
        previous=(
            sittings.previous_panels(session, viewer, at.scope, sitting, known_at=moment)
            if for_agenda
            else ()
        ),
    )


@kept
def _committee(viewer: Viewer) -> Select[Any, *tuple[Any, ...]]:
    return select(Committee.id, Committee.pool_id, Committee.series).where(
        Committee.id == bindparam("id"), *visible(viewer, Committee)
    )


MEMBERSHIPS = Reading(
    Membership,
    {"day": Membership.holds_on, "until": Membership.until, "step": place(Membership.step, STEPS)},
    (Membership.pool_id == bindparam("pool"),),
)
_WHO = {
    "expert": Expert.id,
    "born": Expert.born,
    "gender": place(Expert.gender, tuple(Gender)),
    "made": truth(Expert.name.contains(MARK)),
}
_CALLED = {"code": Expert.code, "pseudonym": Expert.pseudonym}
_PERSON = packing(_WHO, _CALLED).where(Expert.id == bindparam("experts"))


@dataclass(frozen=True, slots=True)
class _People:
    scope: Scope
    codes: tuple[str, ...]
    pseudonyms: tuple[str, ...]
    born: Ints
    gender: Ints
    made: bool


def _steps(
    session: Session, viewer: Viewer, pool_id: int, known_at: datetime, expert_ids: list[int] | None
) -> Arrays:
    """The steps of membership of a pool, of everybody or of some; `expert` are ids."""
    reading, given = MEMBERSHIPS.counting(viewer), {"pool": pool_id, "known_at": known_at}
    kind = "whole"
    if expert_ids is not None:
        scope = Scope(np.array(expert_ids, dtype=np.int64))
        kind = scope.kind
        given |= scope.given(kind)
    rows, _ = unpacked(session, reading.statement(kind), reading.named, given=given)
    return rows if kind == "one" else rows_where_standing(session, Membership, rows, known_at)


def _people(session: Session, expert_ids: list[int], pool_id: int) -> _People:
    """The experts, in the order of their pseudonyms."""
    ids = np.array(expert_ids, dtype=np.int64)
    many = len(ids) > 100
    scope = Scope(ids, pool_id if many else None, whole=many and 4 * len(ids) > _experts(session))
    if len(ids) == 1:
        rows, texts = unpacked(session, _PERSON, _WHO, _CALLED, {"experts": expert_ids[0]})
    else:
        rows, texts = fetch(session, _WHO, scope.narrow(Expert.id), _CALLED)
    inside = np.flatnonzero(scope.index(rows["expert"]) >= 0).tolist()
    order = sorted(inside, key=texts["pseudonym"].__getitem__)
    return _People(
        Scope(rows["expert"][order], scope.pool_id, scope.whole),
        tuple(map(texts["code"].__getitem__, order)),
        tuple(map(texts["pseudonym"].__getitem__, order)),
        rows["born"][order],
        rows["gender"][order],
        bool(rows["made"][order].any()),
    )


def _experts(session: Session) -> int:
    """About how many experts there are: ids have no gaps to speak of, and counting reads them all."""
    return session.scalar(select(func.max(Expert.id))) or 0


def _who(people: _People, on: date) -> Known:
    known = Known()
    known.add("age", Column("integer", full_years(people.born, on)))
    known.add("gender", words(people.gender, tuple(Gender)))
    return known


def _membership(at: At, events: Events, steps: Arrays, term_years: int | None) -> Known:
    situations = run(events, at.size, at.day)
    admitted = rows_where(steps, (steps["step"] == STEPS.index(Step.ADMITTED)) & (steps["day"] <= at.day))
    latest = best_row(at.size, admitted["expert"], admitted["day"], admitted["row"])
    behind = ("membership", take(admitted["row"], latest))
    known = Known()
    known.add("state", words(situations.state, tuple(State)))
    known.add("in_pool", Column("boolean", situations.member.astype(np.int64)), behind)
    known.add("term_until", Column("date", take(terms(admitted, term_years), latest)), behind)
    return known


def _service(at: At, done: Arrays, seats: list[Booked], sitting: Sitting) -> Known:
    past = sittings.before(done, sitting)
    last = best_row(at.size, past["expert"], past["day"], past["row"])
    own = rows_where(past, past["committee"] == sitting.committee_id)
    last_own = best_row(at.size, own["expert"], own["day"], own["row"])
    running = sittings.consecutive_terms(at.session, at.viewer, own, at.size, sitting, known_at=at.known_at)
    known = Known()
    known.add("consecutive_terms", Column("integer", running), ("service", take(own["row"], last_own)))
    since = full_years(take(past["day"], last), at.on)
    known.add("years_since_served", Column("integer", since), ("service", take(past["row"], last)))
    load = sittings.seats_this_season(done, seats, at.size, sitting)
    known.add("seats_this_season", Column("integer", load))
    return known


@kept
def _discipline(viewer: Viewer, kind: str) -> Select[Any, *tuple[Any, ...]]:
    """What was decided about the experts that a scope of some kind finds, as known at `known_at`."""
    return select(
        Discipline.id,
        Discipline.expert_id,
        Discipline.sanction,
        Discipline.holds_on,
        Discipline.until,
        Discipline.revokes_id,
    ).where(
        records.standing(Discipline, bindparam("known_at")),
        AMONG[kind](Discipline.expert_id),
        *counted(viewer, Discipline),
    )


def _decisions(at: At) -> list[Decision]:
    """What discipline was decided about the experts, as known at the moment."""
    kind = at.scope.kind
    given = {"known_at": at.known_at, **at.scope.given(kind)}
    rows = sorted(select_rows(at.session, _discipline(at.viewer, kind), given), key=lambda row: row.id)
    index = at.scope.index(np.array([row.expert_id for row in rows], dtype=np.int64)).tolist()
    return [
        Decision(
            row.id,
            expert,
            Sanction(row.sanction),
            day(row.holds_on),
            day(row.until) if row.until else None,
            row.revokes_id,
        )
        for row, expert in zip(rows, index, strict=True)
        if expert >= 0
    ]


def _passes(passed: Arrays, decisions: list[Decision]) -> dict[int, list[tuple[int, int]]]:
    """Of those who were ordered to retrain, the days on which they passed a course, with the rows."""
    ordered = [d.expert for d in decisions if d.sanction is Sanction.RETRAINING]
    if not ordered:
        return {}
    mine = rows_where(passed, np.isin(passed["expert"], ordered))
    found: dict[int, list[tuple[int, int]]] = {}
    for expert, when, row in zip(*(mine[name].tolist() for name in ("expert", "day", "row")), strict=True):
        found.setdefault(expert, []).append((when, row))
    return {expert: sorted(rows) for expert, rows in found.items()}


def _sittings(at: At, served: Arrays, seats: list[Booked]) -> Events:
    """Events of the day's sittings: what is on record, and the seats whose seals were open by then."""
    alternate = sittings.ROLES.index(Role.ALTERNATE)
    on_record = zip(*(served[name].tolist() for name in ("expert", "role", "row")), strict=True)
    rows: list[tuple[int, int, bool, Source, int]] = [
        (expert, at.day, role == alternate, "service", row) for expert, role, row in on_record
    ]
    opened = at.known_at.astimezone().date()
    rows += [(s.expert, at.day, s.reserve, "seat", s.row) for s in seats if s.open_on <= opened]
    return sitting_events(rows)
