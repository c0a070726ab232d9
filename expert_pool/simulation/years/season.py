"""One committee's problem in a later season: the people as they are then, the panels that sat before, the cases of the year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from expert_pool.simulation.years.chance import Chance, keys_of, picked
from expert_pool.simulation.years.demography import Course, course
from expert_pool.simulation.years.document import YearsDoc
from expert_pool.simulation.years.ground import Ground, Template, lasting, on_in
from solver.apportion import apportion
from solver.diagnosis.alike import only
from solver.diagnosis.elements import named, same_people
from solver.facts import EPOCH, MISSING, Column, Ints, Mask
from solver.model import funnel
from solver.problem import Cases, Group, Pairs, Previous, Problem, Skills, Specialties

SECOND_RANK, FIRST_RANK = 3, 4
BARRING = ("suspended", "retrain", "restricted")
"""States that a sanction leaves when its seasons are over."""


@dataclass(frozen=True)
class Before:
    """What the panels before tell a committee, by the experts of its template: `served`, the last day in the simulation on
    which they sat (MISSING: none); `seats` earlier in this season; `busy`, sitting elsewhere that day; `in_a_row`, seasons
    without a break; `panels` of this committee, newest first: season, day, members, how many there were."""

    served: Ints
    seats: Ints
    busy: Mask
    in_a_row: Ints
    panels: tuple[tuple[int, int, frozenset[int], int], ...] = ()


@dataclass(frozen=True)
class Laid:
    """A committee's problem in a season over all of its template, and who of them is there. `declined` said no."""

    problem: Problem
    there: Mask
    declined: int

    def asked(self, problem: Problem | None = None) -> Problem:
        """The problem over those who are there and whom no hard gate bars: every panel of the whole is one of this, and the
        other way round. `problem`: the same with other rules."""
        whole = self.problem if problem is None else problem
        kept = self.there & funnel(whole).passes.any(axis=1)
        decided = named(whole)
        if decided:
            kept = kept.copy()
            kept[decided] = True
        return only(whole, kept)


class Replication:
    """One replication: its luck, its seasons, and the problems in them."""

    def __init__(
        self, ground: Ground, years: YearsDoc, seed: int, number: int, seconds: float | None
    ) -> None:
        self.ground, self.years, self.number, self.seconds = ground, years, number, seconds
        self.chance = Chance(seed, number)

    @cached_property
    def course(self) -> Course:
        return course(self.ground, self.years, self.chance)

    def laid(self, season: int, at: int, before: Before) -> Laid:
        """The problem of a committee (its place among the templates) in a season."""
        template = self.ground.templates[at]
        base = template.problem
        day = on_in(base, season)
        on = EPOCH + timedelta(days=day)
        specialties, skills = self._skills(template, season)
        cases, with_cases, groups = self._cases(template, season, len(specialties.code))
        problem = same_people(
            base,
            on=on,
            meeting=base.meeting if not season else f"{base.meeting}+{season}",
            seed=base.seed if not season else _seed(base.seed, season),
            facts=self._facts(template, season, day, before),
            specialties=specialties,
            skills=skills,
            cases=cases,
            with_cases=with_cases,
            groups=groups,
            previous=_previous(template, before),
            rules=lasting(base.rules) if season else base.rules,
            locks=() if season else base.locks,
            exclusions=() if season else base.exclusions,
            limits=base.limits if self.seconds is None else replace(base.limits, seconds=self.seconds),
        )
        same = skills is base.skills and groups == base.groups
        for name in ("held", "recused", "apart", *(() if same else ("grades",))):
            problem.__dict__.pop(name, None)
        there, declined = self._there(template, season, day, before)
        return Laid(problem, there, declined)

    def _there(self, template: Template, season: int, day: int, before: Before) -> tuple[Mask, int]:
        """Who can be asked, and says yes; and how many say no."""
        who, now = template.who, self.course
        there = ~now.gone[season, who] & ~now.barred[season, who] & ~before.busy
        facts = template.problem.facts
        if "in_pool" not in facts:
            there &= now.terms[season, template.pool, who] >= day
        if "available" not in facts and season:
            there &= ~now.away[season, who]
        declines = self.years.declines
        rate = float(declines.share) + float(declines.per_seat) * before.seats
        year = self.ground.year + season
        no = there & (self.chance.on(self.ground.keys[who], f"decline:{template.name}", year) < rate)
        return there & ~no, int(no.sum())

    def _facts(self, template: Template, season: int, day: int, before: Before) -> dict[str, Column]:
        base, who, now = template.problem.facts, template.who, self.course
        values: dict[str, Ints] = {}
        terms = now.terms[season, template.pool, who]
        if season:
            values["in_pool"] = (
                self.ground.member[template.pool, who] & (terms >= day) & ~now.gone[season, who]
            )
            values["term_until"] = terms
            values["trained_until"] = now.trained[season, who]
            values["available"] = ~now.away[season, who]
            values["applicant"] = self._applicants(template, season)
            values["consecutive_terms"] = before.in_a_row
            values["seats_this_season"] = before.seats
            values |= self._ageing(template, season)
        elif "seats_this_season" in base:
            known = base["seats_this_season"].values
            values["seats_this_season"] = np.where(known == MISSING, 0, known) + before.seats
        values["years_since_served"] = _since(base, season, day, before.served)
        if season >= self.years.sanctions.seasons and "state" in base and "active" in base["state"].names:
            values["state"] = _lifted(base["state"])
        return {
            name: Column(column.type, values[name].astype(np.int64), column.names)
            if name in values
            else column
            for name, column in base.items()
        }

    def _ageing(self, template: Template, season: int) -> dict[str, Ints]:
        base, found = template.problem.facts, {}
        if "age" in base:
            found["age"] = _later(base["age"].values, season)
        if "rank_years" in base:
            found["rank_years"] = _later(base["rank_years"].values, season)
        if "rank" not in base or "rank_years" not in base or not self.years.promotion.share:
            return found
        rank, held = base["rank"].values.copy(), base["rank_years"].values
        since = np.full(len(rank), -1)
        for k in range(1, season + 1):
            risen = self.course.promoted[k, template.who] & (rank == SECOND_RANK)
            risen &= (held != MISSING) & (held + k >= self.years.promotion.after)
            rank[risen], since[risen] = FIRST_RANK, k
        found["rank"] = rank
        found["rank_years"] = np.where(since >= 0, season - since, found["rank_years"])
        return found

    def _applicants(self, template: Template, season: int) -> Ints:
        """Who applies in a later season: as large a share as today."""
        base = template.problem.facts
        if "applicant" not in base:
            return np.zeros(len(template.who), dtype=np.int64)
        share = float((base["applicant"].values == 1).mean())
        keys = self.ground.keys[template.who]
        drawn = self.chance.on(keys, "applicant", self.ground.year + season)
        return (drawn < share).astype(np.int64)

    def _skills(self, template: Template, season: int) -> tuple[Specialties, Skills]:
        """The catalogue and the skills of a season, with the sub-specialties that are there by then."""
        base = template.problem
        codes, names, broads = base.specialties.code, base.specialties.name, base.specialties.broad
        skills = base.skills
        for s, new in enumerate(self.years.specialties):
            if new.like not in base.specialties.code or self.ground.year + season < new.year:
                continue
            broad = base.specialties.broad[base.specialties.code.index(new.like)]
            own = np.array([b == broad for b in broads])[skills.specialty]
            holds = np.unique(skills.expert[own])
            holds = holds[self.course.learned[s, template.who[holds]] <= season]
            skills = Skills(
                np.concatenate([skills.expert, holds]),
                np.concatenate([skills.specialty, np.full(len(holds), len(codes))]),
                np.concatenate([skills.proficiency, np.ones(len(holds), dtype=np.int64)]),
            )
            codes, names, broads = (*codes, new.code), (*names, new.name), (*broads, broad)
        if len(codes) == len(base.specialties.code):
            return base.specialties, skills
        return Specialties(codes, names, broads), skills

    def _cases(self, template: Template, season: int, known: int) -> tuple[Cases, Pairs, tuple[Group, ...]]:
        """The cases of a season. The first has those of today; later ones are drawn from them, group by group, with their
        recusals; then some fall to new sub-specialties."""
        base, year = template.problem, self.ground.year + season
        specialty, group, like = base.cases.specialty, base.cases.group, np.arange(len(base.cases.id))
        ids, with_cases = base.cases.id, base.with_cases
        if season:
            like = self._drawn(template, season)
            specialty, group = specialty[like], group[like]
            ids = tuple(f"{base.committee}-{year}-{n:04d}" for n in range(1, len(like) + 1))
            with_cases = _copied(base.with_cases, like, len(base.cases.id))
        first = len(base.specialties.code)
        groups = list(base.groups)
        for new in self.years.specialties if known > first else ():
            broad = base.specialties.broad
            if new.like not in base.specialties.code or year < new.year:
                continue
            near = {i for i, b in enumerate(broad) if b == broad[base.specialties.code.index(new.like)]}
            luck = self.chance.places(len(specialty), f"new:{new.code}:{template.name}", year)
            moved = np.isin(specialty, sorted(near)) & (luck < float(new.share))
            specialty = np.where(moved, first, specialty)
            for g in np.unique(group[moved]).tolist():
                groups[g] = replace(groups[g], specialties=(*groups[g].specialties, first))
            first += 1
        return Cases(ids, specialty, group), with_cases, tuple(groups)

    def _drawn(self, template: Template, season: int) -> Ints:
        """Which of today's cases those of a later season are like, in the proportions of the groups."""
        cases = template.problem.cases
        counts = np.bincount(cases.group, minlength=len(template.problem.groups))
        total = max(1, round(len(cases.id) * (1 + self.years.growth) ** season)) if len(cases.id) else 0
        sizes = apportion(total, counts.tolist()) if total else [0] * len(counts)
        parts = []
        for g, size in enumerate(sizes):
            own = np.flatnonzero(cases.group == g)
            luck = self.chance.places(size, f"cases:{template.name}:{g}", self.ground.year + season)
            parts.append(own[np.sort(picked(luck, len(own)))] if size else own[:0])
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _later(values: Ints, season: int) -> Ints:
    return np.where(values == MISSING, MISSING, values + season)


def _since(base: Mapping[str, Column], season: int, day: int, served: Ints) -> Ints:
    """Full years since a seat was last taken, today's record or the simulation's, whichever is nearer."""
    if "years_since_served" not in base:
        return served
    before = _later(base["years_since_served"].values, season)
    within = _years_between(served, day)
    nearer = (served != MISSING) & ((before == MISSING) | (within < before))
    return np.where(nearer, within, before)


def _years_between(days: Ints, until: int) -> Ints:
    """Full years from days to a day."""
    end = EPOCH + timedelta(days=until)
    found = np.full(len(days), MISSING)
    for start in np.unique(days[days != MISSING]).tolist():
        on: date = EPOCH + timedelta(days=start)
        years = end.year - on.year - ((end.month, end.day) < (on.month, on.day))
        found[days == start] = years
    return found


def _lifted(state: Column) -> Ints:
    """The states after the sanctions of today are over."""
    over = [i for i, name in enumerate(state.names) if name in BARRING]
    return np.where(np.isin(state.values, over), state.names.index("active"), state.values)


def _previous(template: Template, before: Before) -> tuple[Previous, ...]:
    base = template.problem
    sat = tuple(
        Previous(f"{base.meeting}+{season}", EPOCH + timedelta(days=day), members, size)
        for season, day, members, size in before.panels
    )
    return (*sat, *base.previous)


def _copied(pairs: Pairs, like: Ints, cases: int) -> Pairs:
    """Recusals of cases that are like others: the same experts for the same reasons."""
    order = np.argsort(pairs.right, kind="stable")
    starts = np.searchsorted(pairs.right[order], np.arange(cases + 1))
    sizes = starts[like + 1] - starts[like]
    right = np.repeat(np.arange(len(like)), sizes)
    at = order[
        np.repeat(starts[like], sizes) + np.arange(len(right)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    ]
    why = tuple(pairs.why[i] for i in at.tolist())
    return Pairs(pairs.left[at], right, pairs.kind[at], why)


def _seed(seed: int, season: int) -> int:
    return int(keys_of([f"{seed}+{season}"])[0] >> np.uint64(33))


def nothing_before(template: Template) -> Before:
    """What a committee is told in the first season."""
    count = len(template.who)
    facts: Any = template.problem.facts
    row = np.zeros(count, dtype=np.int64)
    if "consecutive_terms" in facts:
        known = facts["consecutive_terms"].values
        row = np.where(known == MISSING, 0, known)
    return Before(np.full(count, MISSING), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool), row)
