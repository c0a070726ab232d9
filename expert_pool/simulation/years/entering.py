"""People who enter the pool in later years: who they are, and their rows beside those of today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from expert_pool.simulation.years.chance import Chance, keys_of, picked
from expert_pool.simulation.years.document import RecruitsDoc
from expert_pool.simulation.years.ground import Ground, Template, first_day
from solver.errors import Fault
from solver.facts import MISSING, Column, Ints, Mask
from solver.model import funnel
from solver.problem import Problem, Skills

HISTORY = {"consecutive_terms": 0, "seats_this_season": 0, "years_since_served": MISSING, "applicant": 0}
"""What stands where nobody has served yet."""
Value = bool | int | str | None


@dataclass(frozen=True)
class Recruit:
    """Somebody who enters in a season. `skills`: sub-specialty code -> proficiency; none: those of the person they are
    `like` (a number among all people). `facts` are theirs alone."""

    id: str
    season: int
    like: int
    age: int
    skills: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Value] = field(default_factory=dict)


class Naming:
    """Ids and models for recruits: the next of a year and specialty is the same person in every scenario."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground, self.chance = ground, Chance(seed, -1)
        self.seen: Counter[tuple[int, str]] = Counter()
        self.holders: dict[tuple[str, str | None], Ints] = {}
        self.today: list[Mask] = [np.asarray(funnel(t.problem).passes.any(axis=1)) for t in ground.templates]

    def recruits(self, doc: RecruitsDoc, season: int, where: str) -> list[Recruit]:
        """So many recruits of one line. Raises Fault where no committee judges the specialty, or a fact does not exist."""
        year = self.ground.year + season
        specialty = doc.specialty or "*"
        near = self._near(specialty, doc.committee, where)
        known = {fact for t in self.ground.templates for fact in t.problem.facts}
        for fact in doc.facts:
            if fact not in known:
                raise Fault("years.fact_unknown", where, name=fact, known=", ".join(sorted(known)))
        ids = []
        for _ in range(doc.count):
            self.seen[year, specialty] += 1
            ids.append(f"+{year}-{specialty}-{self.seen[year, specialty]}")
        keys = keys_of(ids)
        like = near[picked(self.chance.on(keys, "like", 0), len(near))].tolist()
        ages = doc.ages.low + picked(self.chance.on(keys, "age", 0), doc.ages.high - doc.ages.low + 1)
        sub = any(specialty in t.problem.specialties.code for t in self.ground.templates)
        skills = {specialty: doc.proficiency} if sub else {}
        rows = zip(ids, like, ages.tolist(), strict=True)
        return [Recruit(id_, season, who, age, skills, doc.facts) for id_, who, age in rows]

    def _near(self, specialty: str, committee: str | None, where: str) -> Ints:
        """Those whom a recruit of a specialty may be like: holders who may sit today, else whoever may sit where it is
        judged."""
        key = (specialty, committee)
        if key not in self.holders:
            codes = sorted({t.problem.committee for t in self.ground.templates})
            if committee is not None and committee not in codes:
                raise Fault("years.committee_unknown", where, name=committee, known=", ".join(codes))
            found = self._who(specialty, committee, True)
            if not len(found):
                found = self._who(specialty, committee, False)
            if not len(found):
                codes = sorted({c for t in self.ground.templates for c in t.problem.specialties.broad})
                raise Fault("years.specialty_unknown", where, name=specialty, known=", ".join(codes))
            self.holders[key] = found
        return self.holders[key]

    def _who(self, specialty: str, committee: str | None, held: bool) -> Ints:
        parts = []
        for template, passes in zip(self.ground.templates, self.today, strict=True):
            problem = template.problem
            if committee not in (None, problem.committee):
                continue
            own = [
                i
                for i, (code, broad) in enumerate(
                    zip(problem.specialties.code, problem.specialties.broad, strict=True)
                )
                if specialty in ("*", code, broad)
            ]
            if held and specialty != "*":
                holds = np.zeros(len(problem.experts), dtype=bool)
                holds[problem.skills.expert[np.isin(problem.skills.specialty, own)]] = True
                parts.append(template.who[holds & passes])
            elif _judges(problem, own):
                parts.append(template.who[passes if passes.any() else np.ones(len(passes), dtype=bool)])
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)


def _judges(problem: Problem, specialties: Sequence[int]) -> bool:
    broad = {problem.specialties.broad[s] for s in specialties}
    return any(problem.specialties.broad[s] in broad for group in problem.groups for s in group.specialties)


def lines_of(doc: Sequence[RecruitsDoc], ground: Ground, seasons: int) -> list[tuple[int, RecruitsDoc, int]]:
    """Each line of recruits in each season it speaks of: season, line, its number; the first season takes nobody in."""
    found = []
    for at, line in enumerate(doc):
        first = ground.year + 1 if line.from_ is None else line.from_
        last = ground.year + seasons - 1 if line.to is None else line.to
        found += [
            (year - ground.year, line, at)
            for year in range(first, last + 1, line.every)
            if 0 < year - ground.year < seasons
        ]
    return sorted(found, key=lambda row: (row[0], row[2]))


def with_recruits(
    ground: Ground, recruits: Sequence[Recruit], term_years: int, training_years: int
) -> Ground:
    """The ground with rows for recruits behind all others: in the pools of those they are like, freshly trained, in conflict
    with nobody, of an employer of their own unless `facts` name one."""
    if not recruits:
        return ground
    first = ground.people
    like = np.array([r.like for r in recruits], dtype=np.int64)
    enters = np.array([r.season for r in recruits], dtype=np.int64)
    starts = np.array([first_day(ground.year + r.season) for r in recruits], dtype=np.int64)
    trained = starts + round(365.25 * training_years)
    ages = np.array([r.age - r.season for r in recruits], dtype=np.int64)
    terms = np.tile(starts + round(365.25 * term_years) - 1, (len(ground.terms), 1))
    return replace(
        ground,
        templates=tuple(_larger(t, recruits, like, first) for t in ground.templates),
        names=(*ground.names, *(r.id for r in recruits)),
        keys=np.concatenate([ground.keys, keys_of(r.id for r in recruits)]),
        ages=np.concatenate([ground.ages, ages]),
        trained=np.concatenate([ground.trained, trained]),
        terms=np.concatenate([ground.terms, terms], axis=1),
        member=np.concatenate([ground.member, ground.member[:, like]], axis=1),
        enters=np.concatenate([ground.enters, enters]),
    )


def _larger(template: Template, recruits: Sequence[Recruit], like: Ints, first: int) -> Template:
    problem = template.problem
    place = {int(person): i for i, person in enumerate(template.who.tolist())}
    own = [n for n, r in enumerate(recruits) if int(like[n]) in place]
    if not own:
        return template
    models = np.array([place[int(like[n])] for n in own], dtype=np.int64)
    people = [recruits[n] for n in own]
    facts = {name: _column(name, column, people, models) for name, column in problem.facts.items()}
    larger = replace(
        problem,
        experts=(*problem.experts, *(r.id for r in people)),
        facts=facts,
        skills=_skills(problem, people, models),
    )
    who = np.concatenate([template.who, first + np.array(own, dtype=np.int64)])
    return replace(template, problem=larger, who=who)


def _column(name: str, column: Column, people: Sequence[Recruit], models: Ints) -> Column:
    """The facts of recruits as they would stand in the first season."""
    values = column.values[models].copy()
    if name in HISTORY:
        values[:] = HISTORY[name]
    elif name in ("employer", "trained_until", "term_until"):
        values[:] = MISSING
    elif name in ("in_pool", "available"):
        values[:] = 1
    elif name == "age":
        values = np.array([r.age - r.season for r in people], dtype=np.int64)
    elif name == "rank_years":
        values = np.where(values == MISSING, MISSING, values - np.array([r.season for r in people]))
    elif name == "state" and "active" in column.names:
        values[:] = column.names.index("active")
    names = column.names
    for i, recruit in enumerate(people):
        if name in recruit.facts:
            value = recruit.facts[name]
            if isinstance(value, str) and column.type == "category":
                if value not in names:
                    names = (*names, value)
                values[i] = names.index(value)
            else:
                values[i] = MISSING if value is None else int(value)
    return Column(column.type, np.concatenate([column.values, values]), names)


def _skills(problem: Problem, people: Sequence[Recruit], models: Ints) -> Skills:
    """Skills with those of recruits: their own, else those of the person they are like."""
    number = {code: i for i, code in enumerate(problem.specialties.code)}
    who, what, how = [], [], []
    for at, (recruit, model) in enumerate(zip(people, models.tolist(), strict=True)):
        held = (
            {number[code]: p for code, p in recruit.skills.items() if code in number}
            if recruit.skills
            else problem.held[model]
        )
        for specialty, proficiency in held.items():
            who.append(len(problem.experts) + at)
            what.append(specialty)
            how.append(proficiency)
    old = problem.skills
    return Skills(
        np.concatenate([old.expert, np.array(who, dtype=np.int64)]),
        np.concatenate([old.specialty, np.array(what, dtype=np.int64)]),
        np.concatenate([old.proficiency, np.array(how, dtype=np.int64)]),
    )
