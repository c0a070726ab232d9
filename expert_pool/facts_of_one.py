"""The facts of a single expert: those of `facts`, from one statement and plain numbers.

A pool is moved as columns; of one expert a dozen rows decide, and reading them costs less than making columns of them.
`facts.facts_on` is the definition: for any expert, day and moment both give the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from expert_pool import sittings
from expert_pool.attributes import CREDIT_BASE
from expert_pool.columns import Scope
from expert_pool.employers import SECTORS, employer_on
from expert_pool.facts import PoolFacts
from expert_pool.lifecycle import (
    NUMBER,
    SOURCES,
    STEPS,
    Decision,
    Event,
    Events,
    Happening,
    Hold,
    Source,
    State,
    holds,
    replay,
    sanction_events,
    sitting_events,
    state_of,
)
from expert_pool.policies.policy import Policy
from expert_pool.registry import Gender, Role, Sanction, Step
from expert_pool.rows_of_one import SANCTIONS, Behind, Row, Told, told_of
from expert_pool.sittings import Booked, Sitting
from expert_pool.specialties import Catalogue, Held
from expert_pool.viewer import Viewer
from expert_pool.years import day_after_years, whole_years
from solver.facts import MISSING, Column, ColumnType, Ints


@dataclass(frozen=True, slots=True)
class Alone:
    """The facts of one expert, and of the records that were read for them, by table and id: None for one that is not
    the viewer's to see. `steps`: those of the life cycle until the end of the day."""

    pool: PoolFacts
    steps: Sequence[Happening]
    records: Mapping[tuple[str, int], Behind | None]


def facts_of_one(
    session: Session,
    viewer: Viewer,
    *,
    committee: Any,
    on: date,
    known_at: datetime,
    policy: Policy,
    expert_id: int,
) -> Alone:
    """As `facts.facts_on` for one expert who is there, without what only a problem needs. `committee`: a row with `id`,
    `pool_id` and `series` that the viewer may see."""
    given = {
        "known_at": known_at,
        "experts": expert_id,
        "pool": committee.pool_id,
        "series": committee.series,
        "season": on.year,
    }
    sitting = Sitting(committee.id, on, on.year)
    scope = Scope(np.array([expert_id], dtype=np.int64))
    seats = sittings.booked(session, viewer, scope, sitting, known_at=known_at)
    found = told_of(session, viewer, given, on)
    told = _Telling(session, viewer, found, sitting, known_at, policy, seats)
    told.tell()
    nothing = np.empty(0, dtype=np.int64)
    person = found.person
    pool = PoolFacts(
        on=on,
        known_at=known_at,
        committee_id=sitting.committee_id,
        pool_id=committee.pool_id,
        season=sitting.season,
        expert_ids=scope.ids,
        codes=(person.x,),
        pseudonyms=(person.y,),
        facts=told.facts,
        behind=told.behind,
        events=told.events,
        sanctions=told.sanctions,
        catalogue=Catalogue({}),
        held=Held(nothing, nothing, nothing),
        previous=(),
        made=person.b == 1,
    )
    return Alone(pool, told.steps, found.records)


_ADMITTED = STEPS.index(Step.ADMITTED)
_STEP_EVENTS = [
    (STEPS.index(step), event)
    for step, event in (
        (Step.CANDIDATE, Event.CANDIDATE),
        (Step.ADMITTED, Event.ADMITTED),
        (Step.LEFT, Event.LEFT),
    )
]
_MEMBERSHIP = SOURCES.index("membership")
_Happened = tuple[int, int, int, int]
"""Day, place in EVENTS, place in SOURCES, row."""


@dataclass(slots=True)
class _Telling:
    """The facts as they are told, in the order of `facts`."""

    session: Session
    viewer: Viewer
    found: Told
    sitting: Sitting
    known_at: datetime
    policy: Policy
    seats: list[Booked]
    facts: dict[str, Column] = field(default_factory=dict)
    behind: dict[str, tuple[str, Ints]] = field(default_factory=dict)
    events: Events = field(init=False)
    steps: Sequence[Happening] = ()
    sanctions: tuple[Hold, ...] = ()

    def tell(self) -> None:
        """Fill in everything."""
        found, terms = self.found, self.policy.terms
        self._who()
        self._training(terms.training_years)
        done = found.all("service")
        other = [s for s in done if s.day == found.day and s.a != self.sitting.committee_id]
        today = [s for s in other if s.d in sittings.CAME]
        booked = [seat for seat in self.seats if seat.on == self.sitting.on]
        self._happenings(today, booked)
        self._membership()
        self._credit(terms.credit_base, terms.credit_years)
        self._title()
        self._employment()
        self._availability(bool(today or booked))
        cases = found.all("case")
        self._add("applicant", "boolean", int(bool(cases)), ("case", cases[0] if cases else None))
        self._service(done)

    def _add(
        self,
        name: str,
        type_: ColumnType,
        value: int,
        behind: tuple[str, Row | None] | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        self.facts[name] = Column(type_, np.array([value], dtype=np.int64), names)
        if behind is not None:
            table, row = behind
            self.behind[name] = table, np.array([MISSING if row is None else row.row], dtype=np.int64)

    def _who(self) -> None:
        person = self.found.person
        born: date | None = person.day
        self._add("age", "integer", MISSING if born is None else whole_years(born, self.sitting.on))
        self._add("gender", "category", person.a, names=_GENDERS)

    def _training(self, years: int | None) -> None:
        until = {
            row.row: row.until if years is None else min(row.until, day_after_years(row.on, years) - 1)
            for row in self.found.past("training")
        }
        longest = max(self.found.past("training"), key=lambda row: (until[row.row], row.row), default=None)
        value = MISSING if longest is None else until[longest.row]
        self._add("trained_until", "date", value, ("training", longest))

    def _happenings(self, today: list[Row], booked: list[Booked]) -> None:
        """What happened to the expert, in the order in which it counts; and what they were held by."""
        happened = self._terms()
        decisions = [
            Decision(
                row.row, 0, SANCTIONS[row.a], row.day, None if row.until == MISSING else row.until, row.b
            )
            for row in self.found.all("discipline")
        ]
        passed: dict[int, list[tuple[int, int]]] = {}
        if any(d.sanction is Sanction.RETRAINING for d in decisions):
            passed = {0: sorted((row.day, row.row) for row in self.found.past("training"))}
        self.sanctions = tuple(holds(decisions, passed))
        if self.sanctions:
            happened += _rows_of(sanction_events(self.sanctions))
        alternate = sittings.ROLES.index(Role.ALTERNATE)
        sat: list[tuple[int, int, bool, Source, int]] = [
            (0, self.found.day, row.c == alternate, "service", row.row) for row in today
        ]
        opened = self.known_at.astimezone().date()
        sat += [
            (0, self.found.day, seat.reserve, "seat", seat.row) for seat in booked if seat.open_on <= opened
        ]
        if sat:
            happened += _rows_of(sitting_events(sat))
        happened.sort(key=_in_turn)
        columns = np.array([(0, *one) for one in happened], dtype=np.int64).reshape(-1, 5).T
        self.events = Events(*columns)

    def _terms(self) -> list[_Happened]:
        """The steps of membership and the ends of terms, as `lifecycle.membership_events` has them."""
        rows = self.found.all("membership")
        told: list[_Happened] = [
            (row.day, NUMBER[event], _MEMBERSHIP, row.row)
            for step, event in _STEP_EVENTS
            for row in rows
            if row.a == step
        ]
        admitted = sorted((row for row in rows if row.a == _ADMITTED), key=_when)
        for row, after in zip(admitted, [*admitted[1:], None], strict=False):
            end = self._end(row)
            if end == MISSING:
                continue
            end = max(end, row.day)
            if after is None or after.day > end:
                told.append((end + 1, NUMBER[Event.TERM_OVER], _MEMBERSHIP, row.row))
        return told

    def _end(self, step: Row) -> int:
        """The last day of the term of a step."""
        years = self.policy.terms.term_years
        if years is None:
            return step.until
        longest = day_after_years(step.on, years) - 1
        return longest if step.until == MISSING else min(step.until, longest)

    def _membership(self) -> None:
        self.steps, places = replay(self.events, self.found.day)
        admitted = [row for row in self.found.past("membership") if row.a == _ADMITTED]
        latest = max(admitted, key=_when, default=None)
        behind = ("membership", latest)
        self._add("state", "category", _STATES.index(state_of(places)), names=_STATES)
        self._add("in_pool", "boolean", int(places["membership"] == "member"), behind)
        self._add("term_until", "date", MISSING if latest is None else self._end(latest), behind)

    def _credit(self, base: int | None, years: int | None) -> None:
        rows = self.found.past("credit")
        if years is not None:
            rows = [row for row in rows if day_after_years(row.on, years) > self.found.day]
        self._add("credit", "integer", sum((row.a for row in rows), CREDIT_BASE if base is None else base))

    def _title(self) -> None:
        rows = self.found.past("qualification")
        best = max(rows, key=lambda row: (row.a, row.day, row.row), default=None)
        behind = ("qualification", best)
        rank = MISSING if best is None or best.a == MISSING else best.a + 1
        self._add("rank", "integer", rank, behind)
        self._add("rank_years", "integer", self._years_since(best), behind)

    def _employment(self) -> None:
        rows = self.found.lasting("employment")
        best = max(rows, key=lambda row: (row.b, -row.day, -row.row), default=None)
        behind = ("employment", best)
        if best is None:
            code, region, sector = "", "", MISSING
        else:
            code, region, sector = employer_on(
                self.session, self.viewer, best.a, on=self.sitting.on, known_at=self.known_at
            )
        self._add("employer", "category", *_named(code, behind))
        self._add("sector", "category", sector, behind, _SECTORS)
        self._add("region", "category", *_named(region, behind))

    def _availability(self, busy: bool) -> None:
        absent = self.found.lasting("absence")
        longest = max(absent, key=lambda row: (row.until, row.row), default=None)
        self._add("available", "boolean", int(not (absent or busy)), ("absence", longest))

    def _service(self, done: list[Row]) -> None:
        sitting, today = self.sitting, self.found.day
        sat = [row for row in done if row.d in sittings.SAT]
        past = [row for row in sat if row.day < today]
        own = [row for row in past if row.a == sitting.committee_id]
        last, last_own = max(past, key=_when, default=None), max(own, key=_when, default=None)
        running = 0
        if own:
            seasons = np.array([row.b for row in own], dtype=np.int64)
            zero = np.zeros(len(own), dtype=np.int64)
            rows = {"expert": zero, "season": seasons, "committee": zero + sitting.committee_id}
            running = int(
                sittings.consecutive_terms(
                    self.session, self.viewer, rows, 1, sitting, known_at=self.known_at
                )[0]
            )
        self._add("consecutive_terms", "integer", running, ("service", last_own))
        self._add("years_since_served", "integer", self._years_since(last), ("service", last))
        load = sum(
            row.b == sitting.season and not (row.a == sitting.committee_id and row.day == today)
            for row in sat
        )
        load += sum(seat.season == sitting.season and not seat.reserve for seat in self.seats)
        self._add("seats_this_season", "integer", load)

    def _years_since(self, row: Row | None) -> int:
        return MISSING if row is None else whole_years(row.on, self.sitting.on)


def _rows_of(events: Events) -> list[_Happened]:
    columns = (events.day, events.event, events.source, events.row)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _in_turn(one: _Happened) -> tuple[int, int]:
    return one[:2]


def _when(row: Row) -> tuple[int, int]:
    return row.day, row.row


def _named(name: str, behind: tuple[str, Row | None]) -> tuple[int, tuple[str, Row | None], tuple[str, ...]]:
    return (0, behind, (name,)) if name else (MISSING, behind, ())


_GENDERS = tuple(str(word) for word in Gender)
_STATES = tuple(str(word) for word in State)
_SECTORS = tuple(str(word) for word in SECTORS)
