"""Facts that rest on one kind of record each: training, credit, rank, employment, absence, application.

Each function takes the experts, the day and the moment (`At`) and gives columns with the rows behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Select, bindparam, exists
from sqlalchemy.orm import Session

from expert_pool.columns import (
    AMONG,
    Arrays,
    Reading,
    Scope,
    add_years,
    best_row,
    distinct,
    full_years,
    kept,
    mapped,
    packing,
    place,
    rows_where,
    take,
    truth,
    unpacked,
)
from expert_pool.employers import SECTORS, employers_on
from expert_pool.registry import (
    Absence,
    Agenda,
    Applicant,
    Case,
    Credit,
    Employment,
    Qualification,
    Rank,
    Training,
)
from expert_pool.sittings import Booked
from expert_pool.viewer import Viewer, counted
from solver.facts import MISSING, Column, Ints, day

RANKS = tuple(Rank)

CREDIT_BASE = 100
"""Points to begin with where a policy states no base."""

Behind = tuple[str, Ints]
"""A table, and per expert the id of the row that a fact rests on (MISSING: on none)."""


@dataclass(frozen=True, slots=True)
class At:
    """Whom the facts are about, on which day, as known at which moment, for which viewer."""

    session: Session
    viewer: Viewer
    scope: Scope
    on: date
    known_at: datetime

    @property
    def size(self) -> int:
        return len(self.scope)

    @property
    def day(self) -> int:
        return day(self.on)

    def rows(self, reading: Reading, **given: Any) -> Arrays:
        """The experts' records that hold on the day: `expert`, `row` and the columns of the reading, `day` among
        them; `given` as for `Scope.read`."""
        rows = self.scope.read(self.session, reading.counting(self.viewer), known_at=self.known_at, **given)
        return rows_where(rows, rows["day"] <= self.day)

    def lasting(self, rows: Arrays) -> Arrays:
        """The rows whose `until` is not past."""
        return rows_where(rows, (rows["until"] == MISSING) | (rows["until"] >= self.day))


@dataclass(frozen=True, slots=True)
class Known:
    """Some facts, and for each the rows behind it where there are such."""

    facts: dict[str, Column] = field(default_factory=dict)
    behind: dict[str, Behind] = field(default_factory=dict)

    def add(self, name: str, column: Column, behind: Behind | None = None) -> None:
        self.facts[name] = column
        if behind is not None:
            self.behind[name] = behind


TRAININGS = Reading(
    Training, {"day": Training.holds_on, "until": Training.until}, (Training.passed.is_(True),)
)
CREDITS = Reading(Credit, {"day": Credit.holds_on, "points": Credit.points})
QUALIFICATIONS = Reading(
    Qualification,
    {"day": Qualification.holds_on, "rank": place(Qualification.rank, RANKS)},
    (Qualification.series == bindparam("series"),),
)
EMPLOYMENTS = Reading(
    Employment,
    {
        "day": Employment.holds_on,
        "employer": Employment.employer_id,
        "main": truth(Employment.main),
        "until": Employment.until,
    },
)
ABSENCES = Reading(Absence, {"day": Absence.holds_on, "until": Absence.until})


def words(values: Ints, among: tuple[StrEnum, ...]) -> Column:
    """A category whose values are places among `among`."""
    return Column("category", values, tuple(str(word) for word in among))


def training(at: At, training_years: int | None) -> tuple[Known, Arrays]:
    """`trained_until`, and the passed courses themselves."""
    passed = at.rows(TRAININGS)
    until = passed["until"]
    if training_years is not None:
        until = np.minimum(until, add_years(passed["day"], training_years) - 1)
    longest = best_row(at.size, passed["expert"], until, passed["row"])
    known = Known()
    known.add(
        "trained_until", Column("date", take(until, longest)), ("training", take(passed["row"], longest))
    )
    return known, passed


def credit(at: At, base: int | None, years: int | None) -> Known:
    """`credit`: the base and the points of the last `years` years."""
    rows = at.rows(CREDITS)
    if years is not None:
        rows = rows_where(rows, add_years(rows["day"], years) > at.day)
    points = np.full(at.size, CREDIT_BASE if base is None else base, dtype=np.int64)
    np.add.at(points, rows["expert"], rows["points"])
    known = Known()
    known.add("credit", Column("integer", points))
    return known


def title(at: At, series: str) -> Known:
    """`rank` and `rank_years` in a series."""
    rows = at.rows(QUALIFICATIONS, series=series)
    best = best_row(at.size, rows["expert"], rows["rank"], rows["day"], rows["row"])
    rank = take(rows["rank"], best)
    behind = ("qualification", take(rows["row"], best))
    known = Known()
    known.add("rank", Column("integer", np.where(rank == MISSING, MISSING, rank + 1)), behind)
    known.add("rank_years", Column("integer", full_years(take(rows["day"], best), at.on)), behind)
    return known


def employment(at: At) -> Known:
    """`employer`, `sector` and `region` of the employment that counts."""
    rows = at.lasting(at.rows(EMPLOYMENTS))
    best = best_row(at.size, rows["expert"], rows["main"], -rows["day"], -rows["row"])
    unit = take(rows["employer"], best)
    employers = employers_on(at.session, at.viewer, distinct(unit), on=at.on, known_at=at.known_at)
    person = mapped(unit, employers.person)
    behind = ("employment", take(rows["row"], best))
    known = Known()
    known.add("employer", _named(person, employers.codes), behind)
    known.add("sector", words(mapped(person, employers.sector), SECTORS), behind)
    known.add("region", _named(person, employers.regions), behind)
    return known


def availability(at: At, booked_today: list[Booked], served_today: Arrays) -> Known:
    """`available`: not absent, and on no other panel that day. The row behind it is the absence, where it is one."""
    absent = at.lasting(at.rows(ABSENCES))
    free = np.ones(at.size, dtype=np.int64)
    free[absent["expert"]] = 0
    free[[seat.expert for seat in booked_today]] = 0
    free[served_today["expert"]] = 0
    best = best_row(at.size, absent["expert"], absent["until"], absent["row"])
    known = Known()
    known.add("available", Column("boolean", free), ("absence", take(absent["row"], best)))
    return known


APPLICATION = {"expert": Applicant.expert_id, "row": Case.id}


@kept
def applications(viewer: Viewer, kind: str) -> Select[Any]:
    """The cases of a `season` whose applicants are experts that a scope of some kind finds."""
    return packing(APPLICATION).where(*application_conditions(viewer, kind))


def application_conditions(viewer: Viewer, kind: str) -> list[ColumnElement[bool]]:
    """Which rows of applicants and cases, joined, are those of `applications`."""
    return [
        Applicant.expert_id.is_not(None),
        AMONG[kind](Applicant.expert_id),
        Case.applicant_id == Applicant.id,
        exists().where(Agenda.id == Case.agenda_id, Agenda.season == bindparam("season")),
        *counted(viewer, Case, Agenda),
    ]


def application(at: At, season: int) -> Known:
    """`applicant`: has an application in the season, on any agenda."""
    kind = at.scope.kind
    given = {"season": season, **at.scope.given(kind)}
    rows, _ = unpacked(at.session, applications(at.viewer, kind), APPLICATION, given=given)
    rows = at.scope.only(rows)
    applies = np.zeros(at.size, dtype=np.int64)
    applies[rows["expert"]] = 1
    known = Known()
    case = take(rows["row"], best_row(at.size, rows["expert"], -rows["row"]))
    known.add("applicant", Column("boolean", applies), ("case", case))
    return known


def _named(ids: Ints, names: Mapping[int, str]) -> Column:
    """A category of what `names` says of ids; the values in order."""
    said = {i: names[i] for i in distinct(ids) if names.get(i)}
    among = tuple(sorted(set(said.values())))
    position = {name: number for number, name in enumerate(among)}
    return Column("category", mapped(ids, {i: position[name] for i, name in said.items()}), among)
