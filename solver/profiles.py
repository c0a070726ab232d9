"""Profiles: imagined experts as several problems see them at once, so that one recruit may serve several committees.

A profile is a sub-specialty and values of facts; in each problem it is one kind (`kinds`) there, or is barred by a gate. Two
profiles that all problems see alike are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from solver.facts import Column, Where
from solver.kinds import MOST, Kind, Test, Value, candidates, every_test, seen_by, tests_of, with_people
from solver.model import funnel
from solver.problem import Problem, Specialties
from solver.rules.base import Gate
from solver.rules.cap import Cap
from solver.rules.case_peers import CasePeers


@dataclass(frozen=True)
class Profile:
    """Somebody who could be taken in: the code of a sub-specialty, what is known of each fact that some rule tests, how much
    is asked beyond the usual, and the kind they are in each problem (None: a gate bars them there)."""

    code: str
    facts: tuple[tuple[str, Value], ...]
    asked: int
    kinds: tuple[Kind | None, ...]


def with_all_specialties(problems: Sequence[Problem]) -> list[Problem]:
    """The problems, each knowing the sub-specialties of all: what it did not know stands behind its own."""
    known = {
        code: (name, broad)
        for problem in problems
        for code, name, broad in zip(
            problem.specialties.code, problem.specialties.name, problem.specialties.broad, strict=True
        )
    }
    larger = []
    for problem in problems:
        own = problem.specialties
        more = [code for code in known if code not in set(own.code)]
        specialties = Specialties(
            (*own.code, *more),
            (*own.name, *(known[c][0] for c in more)),
            (*own.broad, *(known[c][1] for c in more)),
        )
        larger.append(replace(problem, specialties=specialties))
    return larger


def profiles_of(problems: Sequence[Problem], *, best_only: bool) -> tuple[list[Profile], bool]:
    """The profiles that pass the gates of some problem; problems as `with_all_specialties` gives them. `best_only` leaves
    out those that another can stand in for everywhere. The second value is False where there were too many and some are
    missing."""
    views = [_View.of(problem) for problem in problems]
    asked_of = {where.fact for view in views for where in view.wheres}
    times = {f: sum(w.fact == f for v in views for t in v.tests for w in t.where) for f in asked_of}
    facts = sorted(asked_of, key=lambda f: (-times[f], f))
    options = {fact: _options(views, fact) for fact in facts}
    codes = _codes(problems)
    complete = True
    while facts and len(codes) * int(np.prod([len(options[f]) for f in facts])) > MOST:
        last = max((f for f in facts if len(options[f]) > 1), key=facts.index)
        options[last], complete = options[last][:1], False
    usual = {fact: options[fact][0] for fact in facts}
    people = [
        _Person.of(views, dict(zip(facts, c, strict=True))) for c in product(*(options[f] for f in facts))
    ]
    people = [person for person in people if any(person.open)]
    if best_only:
        capped = [view.capped for view in views]
        people = [one for one in people if not any(_better(other, one, views, capped) for other in people)]
    plain = _Person.of(views, usual)
    found = [_profile(views, code, person, usual, plain) for code in codes for person in people]
    passing = [_passing(view.problem, [p.kinds[i] for p in found]) for i, view in enumerate(views)]
    kept = []
    for j, profile in enumerate(found):
        kinds = tuple(kind if passing[i][j] else None for i, kind in enumerate(profile.kinds))
        if any(kind is not None for kind in kinds):
            kept.append(replace(profile, kinds=kinds))
    return kept, complete


@dataclass(frozen=True)
class _View:
    """One problem and the tests in it: those that count people, those of gates, and the facts that caps count."""

    problem: Problem
    tests: tuple[Test, ...]
    gates: tuple[Test, ...]
    capped: frozenset[str]
    known: dict[tuple[str, Value], bool] = field(default_factory=dict, repr=False)

    @staticmethod
    def of(problem: Problem) -> _View:
        hard = [rule for rule in problem.rules if rule.soft is None]
        gates = [Test(r.id, (where,), 1) for r in hard if isinstance(r, Gate) for where in every_test(r)]
        tests = tuple(test for rule in hard for test in tests_of(rule))
        return _View(problem, tests, tuple(gates), frozenset(r.fact for r in hard if isinstance(r, Cap)))

    @property
    def wheres(self) -> list[Where]:
        return [where for test in (*self.tests, *self.gates) for where in test.where]

    def counts(self, tests: Sequence[Test], known: dict[str, Value]) -> tuple[bool, ...]:
        """Which of some tests somebody passes of whom so much is known."""
        return tuple(all(self._passes(where, known[where.fact]) for where in test.where) for test in tests)

    def _passes(self, where: Where, value: Value) -> bool:
        key = (repr(where), value)
        if key not in self.known:
            column = self.problem.facts[where.fact]
            self.known[key] = seen_by(column, [value], [where], self.problem.day)[0][0]
        return self.known[key]


@dataclass(frozen=True)
class _Person:
    """Values of facts, and in each problem which tests count them and whether its gates let them in."""

    known: dict[str, Value]
    counts: tuple[tuple[bool, ...], ...]
    open: tuple[bool, ...]

    @staticmethod
    def of(views: Sequence[_View], known: dict[str, Value]) -> _Person:
        return _Person(
            known,
            tuple(view.counts(view.tests, known) for view in views),
            tuple(all(view.counts(view.gates, known)) for view in views),
        )


def _options(views: Sequence[_View], fact: str) -> list[Value]:
    """Values of a fact that some problem tells apart and whose gates let it pass somewhere; first the one that the fewest
    rules count."""
    values: dict[Value, None] = {}
    for view in views:
        own = [w for w in view.wheres if w.fact == fact]
        values.update(dict.fromkeys(candidates(_column(views, fact), own, view.problem.day)))
    asked = list(values)
    patterns: list[list[bool]] = [[] for _ in asked]
    weight = [0] * len(asked)
    somewhere = [False] * len(asked)
    for view in views:
        counting = [w for t in view.tests for w in t.where if w.fact == fact]
        barring = [w for t in view.gates for w in t.where if w.fact == fact]
        column = _column(views, fact)
        seen = seen_by(column, asked, [*counting, *barring], view.problem.day)
        for at, passes in enumerate(seen):
            patterns[at] += passes
            weight[at] += sum(passes[: len(counting)])
            somewhere[at] |= all(passes[len(counting) :])
    kept: dict[tuple[bool, ...], int] = {}
    for at, pattern in enumerate(patterns):
        if somewhere[at]:
            kept.setdefault(tuple(pattern), at)
    return [asked[at] for at in sorted(kept.values(), key=lambda at: weight[at])]


def _column(views: Sequence[_View], fact: str) -> Column:
    """A column of the fact that has the names of all problems."""
    columns = [view.problem.facts[fact] for view in views if fact in view.problem.facts]
    names = tuple(dict.fromkeys(name for column in columns for name in column.names))
    return replace(columns[0], names=names)


def _codes(problems: Sequence[Problem]) -> list[str]:
    """Of sub-specialties that make the same difference everywhere the one with most cases, in order."""
    near: set[str] = set()
    demand: dict[str, int] = {}
    for problem in problems:
        codes = problem.specialties.code
        near |= {codes[s] for group in problem.groups for s in group.specialties}
        for s in problem.cases.specialty.tolist():
            near.add(codes[s])
            demand[codes[s]] = demand.get(codes[s], 0) + 1
    chosen: dict[tuple[object, ...], str] = {}
    for code in sorted(near, key=lambda c: (-demand.get(c, 0), c)):
        chosen.setdefault(tuple(_difference(problem, code) for problem in problems), code)
    return sorted(chosen.values())


def _difference(problem: Problem, code: str) -> object:
    """What a sub-specialty is to a problem: close and broad to which groups, and to which cases where rules count those."""
    codes, broad = problem.specialties.code, problem.specialties.broad
    s = codes.index(code)
    counted = [r.grade for r in problem.rules if isinstance(r, CasePeers) and r.soft is None]
    close = tuple(s in group.specialties for group in problem.groups)
    wide = tuple(broad[s] in {broad[o] for o in group.specialties} for group in problem.groups)
    asked = set(problem.cases.specialty.tolist())
    of_cases: object = None
    if "close" in counted:
        of_cases = (s if s in asked else None, _shared(broad[s], asked, broad))
    elif counted:
        of_cases = _shared(broad[s], asked, broad)
    return close, wide, of_cases


def _shared(field: str, asked: set[int], broad: Sequence[str]) -> str | None:
    return field if field in {broad[s] for s in asked} else None


def _profile(
    views: Sequence[_View], code: str, person: _Person, usual: dict[str, Value], plain: _Person
) -> Profile:
    facts = tuple(person.known.items())
    asked = sum(value != usual[fact] for fact, value in facts)
    kinds = []
    for i, view in enumerate(views):
        rules = tuple(
            dict.fromkeys(
                test.rule
                for test, own, always in zip(view.tests, person.counts[i], plain.counts[i], strict=True)
                if own and not always
            )
        )
        kinds.append(Kind(view.problem.specialties.code.index(code), facts, rules, asked))
    return Profile(code, facts, asked, tuple(kinds))


def _passing(problem: Problem, kinds: Sequence[Kind | None]) -> list[bool]:
    people = [kind for kind in kinds if kind is not None]
    passes = np.asarray(funnel(with_people(problem, people)).passes[len(problem.experts) :].any(axis=1))
    return [bool(one) for one in passes.tolist()]


def _better(a: _Person, b: _Person, views: Sequence[_View], capped: Sequence[frozenset[str]]) -> bool:
    """Whether the first can stand in for the second in every problem, and not the other way round."""

    def may(one: _Person, other: _Person) -> bool:
        for i, view in enumerate(views):
            if not other.open[i]:
                continue
            if not one.open[i] or any(one.known.get(f) not in (None, other.known.get(f)) for f in capped[i]):
                return False
            for test, mine, theirs in zip(view.tests, one.counts[i], other.counts[i], strict=True):
                if mine != theirs and not (test.more != 0 and mine == (test.more > 0)):
                    return False
        return True

    return a is not b and may(a, b) and (not may(b, a) or _first(a, b))


def _first(a: _Person, b: _Person) -> bool:
    return repr(sorted(a.known.items())) < repr(sorted(b.known.items()))
