"""Which points of a sweep are looser than which: the theorems that let one point answer for another.

A problem is *looser* than another if every lawful panel of the other is lawful there too, and costs the same. Then

- where the looser one has no lawful panel, neither has the tighter one;
- an optimal panel of the looser one that is lawful in the tighter one is optimal there, and the only one if it was the
  only one: every panel of the tighter problem is among those it was compared with;
- at the first goal level the tighter one never costs less.

Rules say by their fields what follows from what (`Rule.implies`); a point that differs in anything else is compared with
none. Rules of a `sufficient` form forbid more than they say, so nothing is concluded from them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from solver.facts import Mask
from solver.no_shows import ordered_places
from solver.problem import Group, Problem
from solver.rules.base import Rule

Value = TypeVar("Value")
SHARED = ("facts", "specialties", "skills", "cases", "between", "with_cases", "experts", "conflict_kinds")
"""Parts that must be one and the same object in two problems that are compared."""
SHAPE = ("alternates", "group_size", "roles")
"""Rules without which a panel is another thing: it has no alternates, no chair."""


def looser(problems: Sequence[Problem]) -> Mask:
    """Shape (n, n): whether problem i is known to be looser than problem j, or no tighter. True is a theorem; False says
    nothing."""
    count = len(problems)
    found = np.ones((count, count), dtype=bool)
    found &= _between([_fixed(problem) for problem in problems], lambda a, b: a == b)
    found &= _between([problem.groups for problem in problems], _groups)
    found &= _between([_decisions(problem) for problem in problems], _decided)
    ids = sorted({rule.id for problem in problems for rule in problem.rules})
    for id_ in ids:
        found &= _between([_rule(problem, id_) for problem in problems], _rules)
    return found


def _between(values: Sequence[Value], may: Callable[[Value, Value], bool]) -> Mask:
    """Whether `may(value i, value j)`, each pair of different values looked at once."""
    kinds: list[Value] = []
    of = []
    seen: dict[int, int] = {}
    for value in values:
        at = seen.get(id(value))
        if at is None:
            at = next((k for k, other in enumerate(kinds) if other == value), len(kinds))
            if at == len(kinds):
                kinds.append(value)
            seen[id(value)] = at
        of.append(at)
    table = np.array([[a is b or may(a, b) for b in kinds] for a in kinds], dtype=bool)
    matrix: Mask = table[np.ix_(of, of)]
    return matrix


def _fixed(problem: Problem) -> tuple[Any, ...]:
    """What must be the same: people, cases, goals, soft rules, how many alternates are told apart."""
    return (
        *(id(getattr(problem, name)) for name in SHARED),
        problem.on,
        problem.seed,
        problem.previous,
        problem.goals,
        problem.weighted,
        ordered_places(problem),
        tuple(rule for rule in problem.rules if rule.soft is not None),
        any(rule.sufficient for rule in problem.rules if rule.soft is None) and id(problem),
        [rule.rule for rule in problem.rules if rule.rule in SHAPE and rule.soft is None],
    )


def _rule(problem: Problem, id_: str) -> Rule | None:
    return next((rule for rule in problem.rules if rule.id == id_ and rule.soft is None), None)


def _rules(loose: Rule | None, tight: Rule | None) -> bool:
    return loose is None or (tight is not None and tight.implies(loose))


def _groups(loose: tuple[Group, ...], tight: tuple[Group, ...]) -> bool:
    return len(loose) == len(tight) and all(
        (a.id, a.specialties, a.alternates) == (b.id, b.specialties, b.alternates)
        and a.low <= b.low
        and a.high >= b.high
        for a, b in zip(loose, tight, strict=True)
    )


def _decisions(problem: Problem) -> tuple[frozenset[Any], frozenset[int]]:
    """Who must sit where, and who may not."""
    return (
        frozenset((lock.expert, lock.group) for lock in problem.locks),
        frozenset(exclusion.expert for exclusion in problem.exclusions),
    )


def _decided(
    loose: tuple[frozenset[Any], frozenset[int]], tight: tuple[frozenset[Any], frozenset[int]]
) -> bool:
    return loose[0] <= tight[0] and loose[1] <= tight[1]
