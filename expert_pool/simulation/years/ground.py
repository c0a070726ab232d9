"""What years ahead begin from: every committee's problem over those who may ever sit on it, and all people as columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from expert_pool.simulation.years.chance import Keys, keys_of
from solver.diagnosis.alike import only
from solver.diagnosis.elements import named, same_people
from solver.facts import MISSING, Ints, Mask, day
from solver.problem import Problem
from solver.rules.base import Rule
from solver.rules.gate import FactGate
from solver.rules.peer_grade import PeerGrade
from solver.sweeping.changes import BY

ONLY_TODAY = frozenset({"stays", "unlike"})
"""Rules about persons of one sitting: they hold in the first season alone."""
MOVING = frozenset(
    {
        "state",
        "in_pool",
        "term_until",
        "trained_until",
        "rank",
        "rank_years",
        "age",
        "available",
        "consecutive_terms",
        "years_since_served",
        "seats_this_season",
        "applicant",
    }
)
"""Facts that another year changes."""
UNKNOWN_STAYS = frozenset({"rank", "rank_years", "age"})
"""Of these, those that are never known later where they are not known today."""


@dataclass(frozen=True)
class Template:
    """One committee as it meets in the first season. `who`: of each expert of its problem, the number among all people.
    `pool`: the row of `Ground.terms` it goes by. `frame`: a digest of what no season changes."""

    problem: Problem
    who: Ints
    pool: int
    frame: str

    @property
    def name(self) -> str:
        return self.problem.meeting


@dataclass(frozen=True)
class Ground:
    """All people, as columns of shape (people,), and the committees in the order in which they meet. `ages` in the year of
    the first season; `enters`: the season in which somebody is there first. `terms` and `member` have one row for each pool:
    the last day of the term, and whether they belong to it today."""

    year: int
    templates: tuple[Template, ...]
    names: tuple[str, ...]
    keys: Keys
    ages: Ints
    trained: Ints
    terms: Ints
    member: Mask
    enters: Ints

    @property
    def people(self) -> int:
        return len(self.names)


def ground_of(problems: Iterable[Problem]) -> Ground:
    """The ground of a year's problems. Of each pool are kept those whom no gate bars for good, and who do not leave it by the
    scenario: other exclusions are of today's meeting alone."""
    sorted_ = sorted(problems, key=lambda p: (p.on, p.meeting))
    numbers: dict[str, int] = {}
    for problem in sorted_:
        for expert in problem.experts:
            numbers.setdefault(expert, len(numbers))
    count = len(numbers)
    ages, trained = np.full(count, MISSING), np.full(count, MISSING)
    terms: list[Ints] = []
    member: list[Mask] = []
    templates = []
    for problem in sorted_:
        who = np.array([numbers[expert] for expert in problem.experts], dtype=np.int64)
        for name, into in (("age", ages), ("trained_until", trained)):
            if name in problem.facts:
                known = problem.facts[name].values
                into[who] = np.where(into[who] == MISSING, known, into[who])
        pool = _pool(problem, who, count, terms, member)
        left = _left(problem)
        today = tuple(exclusion for exclusion in problem.exclusions if exclusion.by != BY)
        problem = same_people(problem, exclusions=today)
        kept = ever(problem) & ~left
        templates.append(Template(only(problem, kept), who[kept], pool, _frame(problem)))
    return Ground(
        year=sorted_[0].on.year,
        templates=tuple(templates),
        names=tuple(numbers),
        keys=keys_of(numbers),
        ages=ages,
        trained=trained,
        terms=np.stack(terms),
        member=np.stack(member),
        enters=np.zeros(count, dtype=np.int64),
    )


def _left(problem: Problem) -> Mask:
    """Who leaves the pool by the scenario."""
    left = np.zeros(len(problem.experts), dtype=bool)
    left[[exclusion.expert for exclusion in problem.exclusions if exclusion.by == BY]] = True
    return left


def _pool(problem: Problem, who: Ints, count: int, terms: list[Ints], member: list[Mask]) -> int:
    """The row of the pool with the same terms of the same people, or a new one."""
    nothing = np.full(len(who), MISSING)
    until = problem.facts["term_until"].values if "term_until" in problem.facts else nothing
    inside = np.ones(len(who), dtype=bool)
    if "in_pool" in problem.facts:
        inside = problem.facts["in_pool"].values == 1
    inside &= ~_left(problem)
    for row, known in enumerate(terms):
        theirs = known[who]
        if ((theirs == until) | (theirs == MISSING) | (until == MISSING)).all():
            known[who] = np.where(until == MISSING, theirs, until)
            member[row][who] |= inside
            return row
    terms.append(np.full(count, MISSING))
    member.append(np.zeros(count, dtype=bool))
    terms[-1][who], member[-1][who] = until, inside
    return len(terms) - 1


def ever(problem: Problem) -> Mask:
    """Who may sit in some season: everybody but those whom a hard gate bars by what neither a season nor a
    step of the ladder changes."""
    kept = problem.everyone()
    climbing = {change.rule for step in problem.ladder for change in step.changes}
    for rule in problem.rules:
        if rule.soft is not None or rule.id in climbing:
            continue
        if isinstance(rule, PeerGrade):
            kept &= problem.grades.any(axis=1)
        elif isinstance(rule, FactGate):
            kept &= _may_pass(rule, problem)
    kept[named(problem)] = True
    return kept


def _may_pass(rule: FactGate, problem: Problem) -> Mask:
    where = rule.where
    values = problem.facts[where.fact].values
    if where.fact in UNKNOWN_STAYS and where.unknown == "fails":
        known: Mask = values != MISSING
        older = where.fact == "age" and where.op in ("lt", "le")
        return known & rule.passes(problem) if older else known
    return problem.everyone() if where.fact in MOVING else rule.passes(problem)


def lasting(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules that hold in every season."""
    return tuple(rule for rule in rules if rule.rule not in ONLY_TODAY)


def _frame(problem: Problem) -> str:
    parts = [problem.committee, problem.procedure, repr(problem.specialties), repr(problem.conflict_kinds)]
    parts += [rule.model_dump_json() for rule in problem.rules]
    parts += [goal.model_dump_json() for goal in problem.goals]
    parts += [repr(problem.ladder), repr(problem.weighted)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def first_day(year: int) -> int:
    """The first of January, in days since 1970."""
    return (np.datetime64(f"{year:04d}-01-01") - np.datetime64("1970-01-01")).astype(np.int64).item()


def on_in(problem: Problem, season: int) -> int:
    """The day on which a committee meets so many seasons later: the same day of the year, 28 February for the 29th."""
    on, year = problem.on, problem.on.year + season
    try:
        return day(on.replace(year=year))
    except ValueError:
        return day(on.replace(year=year, day=28))
