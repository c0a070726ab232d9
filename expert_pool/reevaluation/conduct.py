"""Conduct: what is on record about each expert, judged by a scheme. Deterministic, vectorised over the pool, and every
number with the records behind it.

One event of one kind on one day counts once, however it was recorded: as the outcome of a service and as a credit record.
What is recorded with points of its own counts with the scheme's points where the scheme lists the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
from sqlalchemy.orm import Session

from expert_pool.columns import Arrays, Reading, Scope, fetch, place
from expert_pool.facts import PoolFacts
from expert_pool.records import standing
from expert_pool.reevaluation.scheme import MEASURES, EventDoc, Measure, ProposalDoc, Scheme
from expert_pool.registry import Credit, Outcome, Service
from expert_pool.viewer import Viewer, counted
from solver.facts import MISSING, Facts, Ints, Mask, day

OUTCOMES = tuple(Outcome)
UNLISTED = -1
"""The event of a credit record that the scheme does not list."""

_SERVICES = Reading(Service, {"day": Service.holds_on, "outcome": place(Service.outcome, OUTCOMES)})


@dataclass(frozen=True, slots=True)
class Happened:
    """R events of the experts in scope, in order of expert, day and row: `expert` (index), `day`, `event` (index into the
    scheme's list, or UNLISTED), `points` by the scheme, and the row behind each (`table` 0 service, 1 credit)."""

    expert: Ints
    day: Ints
    event: Ints
    points: Ints
    table: Ints
    row: Ints

    def where(self, chosen: Mask) -> Happened:
        """Some of them."""
        fields = (self.expert, self.day, self.event, self.points, self.table, self.row)
        return Happened(*(field[chosen] for field in fields))


TABLES = ("service", "credit")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a measure is proposed: a grade, a count of a year, or a condition (`code`, a message), by its id in the scheme;
    the figures; the records behind it (table and row); what would have to be otherwise for it to fall away. `already`:
    the cycle in which these records led to a measure as grave before, so that they lead to none now."""

    code: str
    id: str
    proposal: ProposalDoc
    figures: Mapping[str, Any]
    records: tuple[tuple[str, int], ...]
    otherwise: Mapping[str, Any]
    already: str | None = None


@dataclass(frozen=True, slots=True)
class Conduct:
    """A pool judged by a scheme on a day. By expert: `points` after repair, `grade` (index into the scheme's grades), and
    `measure` (index into MEASURES), the gravest that anything calls for."""

    scheme: Scheme
    as_of: date
    facts: Facts
    behind: Mapping[str, tuple[str, Ints]]
    happened: Happened
    points: Ints
    repaired: Ints
    grade: Ints
    measure: Ints
    counted: Mask
    """Of `happened`: which count in the period, caps applied."""

    def reasons(self, expert: int) -> Iterator[Reason]:
        """Everything that calls for a measure other than keeping, for one expert (index), gravest first."""
        found = [*self._grade(expert), *self._counts(expert), *self._conditions(expert)]
        yield from sorted(found, key=lambda reason: -MEASURES.index(reason.proposal.measure))

    def _grade(self, expert: int) -> Iterator[Reason]:
        doc = self.scheme.doc
        grade = doc.grades[int(self.grade[expert])]
        if grade.proposal.measure is Measure.KEEP:
            return
        above = doc.grades[int(self.grade[expert]) - 1] if self.grade[expert] else grade
        score = int(self.points[expert])
        own = self.own(expert)
        lost = self.counted[own] & (self.happened.points[own] < 0)
        rows = self._rows(own, lost)
        figures: dict[str, Any] = {"points": score, "grade": grade.grade, "base": doc.base}
        figures["repaired"] = int(self.repaired[expert])
        needed = None if above.low is None else above.low - score
        yield Reason(
            "conduct.grade",
            grade.grade,
            grade.proposal,
            figures,
            rows,
            {"points_more": needed, "grade": above.grade},
        )

    def _counts(self, expert: int) -> Iterator[Reason]:
        own = self.own(expert)
        if own.start == own.stop:
            return
        events = {event.id: number for number, event in enumerate(self.scheme.doc.events)}
        days, happened = self.happened.day[own].tolist(), self.happened.event[own].tolist()
        for count in self.scheme.doc.counts:
            wanted, first = (
                {events[name] for name in count.events},
                since(self.scheme, count.within, self.as_of),
            )
            chosen = np.array(
                [d >= first and e in wanted for d, e in zip(days, happened, strict=True)], dtype=bool
            )
            number = int(chosen.sum())
            if number >= count.at_least:
                figures = {"number": number, "at_least": count.at_least, "within": count.within}
                fewer = {"fewer": number - count.at_least + 1}
                yield Reason(
                    "conduct.count", count.id, count.proposal, figures, self._rows(own, chosen), fewer
                )

    def _conditions(self, expert: int) -> Iterator[Reason]:
        for condition in self.scheme.doc.conditions:
            if condition.when.holds(self.facts, day(self.as_of), expert):
                shown = self.facts[condition.when.fact].show(expert)
                figures = {"fact": condition.when.fact, "value": None if shown is None else str(shown)}
                yield Reason(
                    "conduct.condition",
                    condition.id,
                    condition.proposal,
                    figures,
                    self._resting(condition.when.fact, expert),
                    {"fact": condition.when.fact},
                )

    def _resting(self, fact: str, expert: int) -> tuple[tuple[str, int], ...]:
        """The record a fact rests on, where there is one."""
        if fact not in self.behind:
            return ()
        table, rows = self.behind[fact]
        row = int(rows[expert])
        return () if row == MISSING else ((table, row),)

    def own(self, expert: int) -> slice:
        """Where in `happened` the events of one expert (index) stand."""
        low, high = np.searchsorted(self.happened.expert, [expert, expert + 1]).tolist()
        return slice(low, high)

    def _rows(self, own: slice, chosen: Mask) -> tuple[tuple[str, int], ...]:
        tables = self.happened.table[own][chosen].tolist()
        rows = self.happened.row[own][chosen].tolist()
        return tuple((TABLES[table], row) for table, row in zip(tables, rows, strict=True))


def conduct(session: Session, viewer: Viewer, pool: PoolFacts, scheme: Scheme, as_of: date) -> Conduct:
    """The conduct of everybody in `pool` on `as_of`, as known at `pool.known_at`."""
    scope = Scope(pool.expert_ids, pool.pool_id, whole=len(pool.expert_ids) > 1000)
    happened = _happened(session, viewer, scope, scheme, as_of, pool.known_at)
    size, doc = len(pool.expert_ids), scheme.doc
    inside = since(scheme, "period", as_of) <= happened.day
    counted_ = inside & _within_caps(happened, inside, doc.events)
    lost = np.zeros(size, dtype=np.int64)
    np.add.at(lost, happened.expert[counted_], happened.points[counted_])
    points = doc.base + lost
    repaired = _repaired(scheme, happened.where(counted_), points, as_of)
    points = points + repaired
    grade = _grades(scheme, points)
    measure = np.array([MEASURES.index(g.proposal.measure) for g in doc.grades])[grade]
    events = {event.id: number for number, event in enumerate(doc.events)}
    for count in doc.counts:
        own = since(scheme, count.within, as_of) <= happened.day
        own &= np.isin(happened.event, [events[name] for name in count.events])
        number = np.bincount(happened.expert[own], minlength=size)
        called = MEASURES.index(count.proposal.measure)
        measure = np.where(number >= count.at_least, np.maximum(measure, called), measure)
    for condition in doc.conditions:
        condition.when.check(pool.facts, f"conditions.{condition.id}.when")
        holds = condition.when.mask(pool.facts, day(as_of))
        called = MEASURES.index(condition.proposal.measure)
        measure = np.where(holds, np.maximum(measure, called), measure)
    return Conduct(
        scheme, as_of, pool.facts, pool.behind, happened, points, repaired, grade, measure, counted_
    )


def since(scheme: Scheme, within: Literal["calendar_year", "period"], as_of: date) -> int:
    """The first day that counts, as a day number."""
    if within == "calendar_year":
        return day(as_of.replace(month=1, day=1))
    first = scheme.since(as_of)
    return int(np.iinfo(np.int64).min) if first is None else day(first)


def _happened(
    session: Session, viewer: Viewer, scope: Scope, scheme: Scheme, as_of: date, known_at: datetime
) -> Happened:
    """Everything on record until `as_of`, one event of a kind a day."""
    events = scheme.doc.events
    by_outcome = {event.outcome: number for number, event in enumerate(events) if event.outcome is not None}
    served = scope.read(session, _SERVICES.counting(viewer), known_at=known_at)
    of_outcome = np.array([by_outcome.get(outcome, UNLISTED) for outcome in OUTCOMES])
    event = of_outcome[served["outcome"]]
    parts = [_part(served, event, event >= 0, 0)]
    credits, names = fetch(
        session,
        {"expert": Credit.expert_id, "row": Credit.id, "day": Credit.holds_on, "points": Credit.points},
        [standing(Credit, known_at), *scope.narrow(Credit.expert_id), *counted(viewer, Credit)],
        {"event": Credit.event},
    )
    by_name = {name: number for number, one in enumerate(events) for name in (one.id, *one.credit)}
    credits["event"] = np.array([by_name.get(name, UNLISTED) for name in names["event"]], dtype=np.int64)
    credits = scope.only(credits)
    wanted = (credits["event"] >= 0) | (scheme.doc.unlisted == "recorded")
    parts.append(_part(credits, credits["event"], wanted, 1))
    every = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    listed = np.array([event.points for event in events] or [0], dtype=np.int64)
    points = np.where(every["event"] >= 0, listed[every["event"]], every["points"])
    order = np.lexsort((every["row"], every["table"], every["event"], every["day"], every["expert"]))
    found = Happened(
        *(
            array[order]
            for array in (every["expert"], every["day"], every["event"], points, every["table"], every["row"])
        )
    )
    again = np.zeros(len(order), dtype=bool)
    again[1:] = ((np.diff(found.expert) == 0) & (np.diff(found.day) == 0) & (np.diff(found.event) == 0)) & (
        found.event[1:] >= 0
    )
    return found.where(~again & (found.day <= day(as_of)))


def _part(rows: Arrays, event: Ints, wanted: Mask, table: int) -> Arrays:
    number = int(wanted.sum())
    return {
        "expert": rows["expert"][wanted],
        "day": rows["day"][wanted],
        "event": event[wanted],
        "points": rows["points"][wanted] if "points" in rows else np.zeros(number, dtype=np.int64),
        "table": np.full(number, table, dtype=np.int64),
        "row": rows["row"][wanted],
    }


def _within_caps(happened: Happened, inside: Mask, events: Sequence[EventDoc]) -> Mask:
    """Whether each counts under its event's `most`: the first so many of the period do."""
    within = np.ones(len(happened.day), dtype=bool)
    for number, event in enumerate(events):
        if event.most is None:
            continue
        rows = np.flatnonzero((happened.event == number) & inside)
        owner = happened.expert[rows]
        first = np.searchsorted(owner, owner, side="left")
        within[rows[np.arange(len(rows)) - first >= event.most]] = False
    return within


def _repaired(scheme: Scheme, happened: Happened, points: Ints, as_of: date) -> Ints:
    """What came back since each expert's last deduction."""
    repair = scheme.doc.repair
    if repair is None:
        return np.zeros_like(points)
    last = np.full(len(points), -1, dtype=np.int64)
    lost = happened.points < 0
    np.maximum.at(last, happened.expert[lost], happened.day[lost])
    latest = last.astype("datetime64[D]")
    begun = latest.astype("datetime64[M]").astype(np.int64)
    in_month = (latest - latest.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    now = (as_of.year - 1970) * 12 + as_of.month - 1
    months = now - begun - (in_month > as_of.day)
    back = repair.points * (months // repair.months)
    return np.where(last >= 0, np.clip(back, 0, np.maximum(0, scheme.doc.base - points)), 0)


def _grades(scheme: Scheme, points: Ints) -> Ints:
    """The grade of each score: grades stand from the top and meet without a hole."""
    lows = [grade.low for grade in scheme.doc.grades if grade.low is not None]
    grade: Ints = np.zeros(len(points), dtype=np.int64)
    for low in lows:
        grade += points < low
    return grade
