"""Kinds of imagined experts: every combination of facts that the rules of a problem can tell apart, where the gates let it
pass, for every sub-specialty that makes a difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Literal, TypeAlias

import numpy as np
from pydantic import BaseModel

from solver.diagnosis.elements import same_people
from solver.facts import MISSING, Column, Where, day
from solver.model import funnel
from solver.problem import Problem, Skills
from solver.rules.base import Gate, Rule
from solver.rules.cap import Cap
from solver.rules.case_peers import CasePeers
from solver.rules.roles import Roles
from solver.rules.share import ShareRule

Value: TypeAlias = int | str | None
"""As a column holds it; a category by its name, None where unknown."""

MOST = 3000
"""So many kinds at most; beyond, `kinds_of` leaves facts unknown that the fewest rules ask about."""


@dataclass(frozen=True)
class Kind:
    """One kind: the sub-specialty (index), what is known of each fact that some rule tests, the ids of the rules that count
    such a person and would not count just anybody, and how many things are asked beyond passing the gates."""

    specialty: int
    facts: tuple[tuple[str, Value], ...]
    counts_for: tuple[str, ...]
    asked: int


@dataclass(frozen=True)
class Test:
    """All tests that make one rule count a person. `more`: 1 where counting more can only help, -1 where it can only harm,
    0 where it may do either."""

    rule: str
    where: tuple[Where, ...]
    more: Literal[-1, 0, 1]


def kinds_of(problem: Problem, *, best_only: bool) -> tuple[list[Kind], bool]:
    """The kinds whose people pass the gates for some group; `best_only` leaves out those that another kind can always stand
    in for. The second value is False where there were too many and some are missing."""
    tests = [test for rule in problem.rules if rule.soft is None for test in tests_of(rule)]
    gates = [rule for rule in problem.rules if isinstance(rule, Gate) and rule.soft is None]
    barring = [where for gate in gates for where in every_test(gate)]
    asked_of = {where.fact for test in tests for where in test.where} | {where.fact for where in barring}
    facts = sorted(asked_of, key=lambda f: (-sum(w.fact == f for t in tests for w in t.where), f))
    options = {fact: _options(problem, fact, tests, barring) for fact in facts}
    complete = True
    specialties = _specialties(problem)
    while facts and len(specialties) * int(np.prod([len(options[f]) for f in facts])) > MOST:
        last = max((f for f in facts if len(options[f]) > 1), key=facts.index)
        options[last], complete = options[last][:1], False
    people = []
    for chosen in product(*(options[fact] for fact in facts)):
        known = dict(zip(facts, chosen, strict=True))
        people.append((known, tuple(_counts(problem, test, known) for test in tests)))
    if best_only:
        capped = {rule.fact for rule in problem.rules if isinstance(rule, Cap) and rule.soft is None}
        people = [one for one in people if not any(_better(other, one, tests, capped) for other in people)]
    usual = {fact: options[fact][0] for fact in facts}
    plain = [_counts(problem, test, usual) for test in tests]
    kinds = [
        Kind(
            specialty,
            tuple(known.items()),
            tuple(dict.fromkeys(tests[i].rule for i, own in enumerate(counts) if own and not plain[i])),
            sum(value != usual[fact] for fact, value in known.items()),
        )
        for specialty in specialties
        for known, counts in people
    ]
    passing = np.asarray(funnel(with_people(problem, kinds)).passes[len(problem.experts) :].any(axis=1))
    return [kind for kind, passes in zip(kinds, passing.tolist(), strict=True) if passes], complete


def with_people(problem: Problem, kinds: Sequence[Kind]) -> Problem:
    """The problem with one imagined expert for each kind named, behind the real ones: newcomers, in conflict with nobody."""
    first, count = len(problem.experts), len(kinds)
    facts = {}
    for name, column in problem.facts.items():
        values = [dict(kind.facts).get(name) for kind in kinds]
        names = (*column.names, *sorted({v for v in values if isinstance(v, str)} - set(column.names)))
        place = {value: i for i, value in enumerate(names)}
        more = [MISSING if v is None else place[v] if isinstance(v, str) else v for v in values]
        facts[name] = Column(
            column.type, np.concatenate([column.values, np.array(more, dtype=np.int64)]), names
        )
    skills = problem.skills
    larger = same_people(
        problem,
        experts=(*problem.experts, *(f"+{i + 1}" for i in range(count))),
        facts=facts,
        skills=Skills(
            np.concatenate([skills.expert, first + np.arange(count)]),
            np.concatenate([skills.specialty, np.array([k.specialty for k in kinds], dtype=np.int64)]),
            np.concatenate([skills.proficiency, np.full(count, 2)]),
        ),
    )
    for name in ("grades", "held"):
        larger.__dict__.pop(name, None)
    return larger


def tests_of(rule: Rule) -> Iterator[Test]:
    """The tests that make a rule count a person; none of a gate, which bars instead."""
    if isinstance(rule, Gate):
        return
    if isinstance(rule, Roles):
        yield Test(rule.id, rule.chair, 1)
        yield Test(rule.id, rule.deputy, 1)
    elif isinstance(rule, ShareRule):
        yield Test(rule.id, rule.where, 0 if rule.least and rule.most else 1 if rule.least else -1)
    else:
        yield from (Test(rule.id, (where,), 0) for where in every_test(rule))


def every_test(model: BaseModel) -> Iterator[Where]:
    """Every test of a fact inside a rule."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Where):
                yield item
            elif isinstance(item, BaseModel):
                yield from every_test(item)


def _options(problem: Problem, fact: str, tests: Sequence[Test], barring: Sequence[Where]) -> list[Value]:
    """Values of a fact that the tests tell apart and the gates let pass; first the one that the fewest rules count."""
    column = problem.facts[fact]
    own = [where for test in tests for where in test.where if where.fact == fact]
    gates = [where for where in barring if where.fact == fact]
    values = candidates(column, [*own, *gates], problem.day)
    seen = seen_by(column, values, [*own, *gates], problem.day)
    kept: dict[tuple[bool, ...], Value] = {}
    for value, passes in zip(values, seen, strict=True):
        if all(passes[len(own) :]):
            kept.setdefault(passes, value)
    return [value for _, value in sorted(kept.items(), key=lambda item: sum(item[0][: len(own)]))]


def candidates(column: Column, tests: Sequence[Where], meeting: int) -> list[Value]:
    """The unknown, every value that a test names, and one on each side of it or beside it."""
    named: list[Value] = []
    for where in tests:
        for value in where.value if isinstance(where.value, list) else [where.value]:
            if column.type == "category":
                named.append(str(value))
            elif column.type == "date":
                on = meeting if value == "@meeting" else _days(str(value))
                named += [on, on - 1, on + 1]
            else:
                named += [int(value), int(value) - 1, int(value) + 1]
    if column.type == "boolean":
        named = [0, 1]
    if column.type == "category":
        named += [name for name in column.names if name not in named][:1]
    return [None, *dict.fromkeys(named)]


def _days(text: str) -> int:
    return day(date.fromisoformat(text))


def seen_by(
    column: Column, values: Sequence[Value], tests: Sequence[Where], meeting: int
) -> list[tuple[bool, ...]]:
    """For each value which tests it passes."""
    names = tuple(dict.fromkeys(v for v in values if isinstance(v, str)))
    place = {name: i for i, name in enumerate(names)}
    held = [MISSING if v is None else place[v] if isinstance(v, str) else v for v in values]
    small = {where.fact: Column(column.type, np.array(held, dtype=np.int64), names) for where in tests}
    masks = [where.mask(small, meeting).tolist() for where in tests]
    return [tuple(mask[i] for mask in masks) for i in range(len(values))]


def _counts(problem: Problem, test: Test, known: dict[str, Value]) -> bool:
    return all(
        seen_by(problem.facts[where.fact], [known[where.fact]], [where], problem.day)[0][0]
        for where in test.where
    )


_Person: TypeAlias = tuple[dict[str, Value], tuple[bool, ...]]


def _better(a: _Person, b: _Person, tests: Sequence[Test], capped: set[str]) -> bool:
    """Whether the first can stand in for the second under every rule, and not the other way round."""

    def may(one: _Person, other: _Person) -> bool:
        counts = all(
            mine == theirs or (test.more != 0 and mine == (test.more > 0))
            for test, mine, theirs in zip(tests, one[1], other[1], strict=True)
        )
        return counts and all(one[0].get(f) in (None, other[0].get(f)) for f in capped)

    return a is not b and may(a, b) and (not may(b, a) or _first(a, b))


def _first(a: _Person, b: _Person) -> bool:
    return repr(sorted(a[0].items())) < repr(sorted(b[0].items()))


def _specialties(problem: Problem) -> list[int]:
    """Of sub-specialties that make the same difference the one with most cases, in catalogue order."""
    near = {s for group in problem.groups for s in group.specialties} | set(problem.cases.specialty.tolist())
    demand = np.bincount(problem.cases.specialty, minlength=len(problem.specialties.code))
    counted = [r.grade for r in problem.rules if isinstance(r, CasePeers) and r.soft is None]
    broad = problem.specialties.broad
    chosen: dict[tuple[object, ...], int] = {}
    for s in sorted(near, key=lambda s: (-int(demand[s]), s)):
        close = tuple(s in group.specialties for group in problem.groups)
        wide = tuple(broad[s] in {broad[o] for o in group.specialties} for group in problem.groups)
        chosen.setdefault((close, wide, s if "close" in counted else broad[s] if counted else None), s)
    return sorted(chosen.values())
