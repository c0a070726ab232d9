"""Panel problems small enough to enumerate, and the enumeration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from solver.facts import Column
from solver.goals import GOALS
from solver.no_shows import ordered_places
from solver.panel import Panel
from solver.problem import (
    Cases,
    ConflictKind,
    Exclusion,
    Group,
    Lock,
    Pairs,
    PolicyRef,
    Previous,
    Problem,
    Skills,
    Specialties,
)
from solver.rules import RULES
from solver.rules.base import Rule

SECTORS = ("private", "provincial", "grassroots")
KINDS = (
    ConflictKind("co_author", "pair", "test", "D"),
    ConflictKind("self", "panel", "test", "D"),
    ConflictKind("relative", "group", "test", "D"),
)


def rule(name: str, **fields: Any) -> Rule:
    """A rule by its name; the id is the name unless given."""
    return RULES[name].model_validate({"rule": name, "id": fields.pop("id", name), **fields})


def goal(name: str, **fields: Any) -> Any:
    """A goal by its name; level 1 unless given."""
    return GOALS[name].model_validate({"goal": name, "id": name, "level": 1, **fields})


def ints(values: Sequence[int]) -> Any:
    return np.array(list(values), dtype=np.int64)


@st.composite
def problems(
    draw: st.DrawFn,
    *,
    experts: tuple[int, int] = (3, 7),
    alternates: bool = False,
    ranges: bool = False,
    rules: tuple[Rule, ...] = (),
    goals: tuple[Any, ...] = (),
) -> Problem:
    """A random problem of one or two groups, three sub-specialties in two specialties, up to four cases."""
    n = draw(st.integers(*experts))
    count = draw(st.integers(1, 2))
    groups = []
    for g in range(count):
        low = draw(st.integers(1, 2))
        high = low + draw(st.integers(0, 2)) if ranges else low
        near = draw(st.sets(st.integers(0, 2), min_size=1, max_size=2))
        groups.append(
            Group(
                f"G{g}",
                f"group {g}",
                low,
                high,
                tuple(sorted(near)),
                draw(st.integers(1, 2)) if alternates else 0,
            )
        )
    skills = draw(
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, 2), st.integers(1, 3)),
            unique_by=lambda t: t[:2],
            min_size=n // 2,
            max_size=2 * n,
        )
    )
    cases = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, count - 1)), min_size=1, max_size=4))
    edges = draw(
        st.sets(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1]), max_size=4
        )
    )
    ties = draw(
        st.sets(
            st.tuples(st.integers(0, n - 1), st.integers(0, len(cases) - 1), st.integers(0, 2)), max_size=4
        )
    )
    per_expert = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    sectors = draw(per_expert)
    employers = draw(per_expert)
    ages = draw(st.lists(st.one_of(st.none(), st.integers(30, 75)), min_size=n, max_size=n))
    before = draw(st.sets(st.integers(0, n - 1)))
    ties_list = sorted(ties)
    return Problem(
        title="tiny",
        committee="C",
        meeting="M",
        on=date(2026, 4, 18),
        procedure="compose",
        policy=PolicyRef("test", "1"),
        seed=draw(st.integers(0, 99)),
        experts=tuple(f"P{i}" for i in range(n)),
        facts={
            "sector": Column.categories([SECTORS[s] for s in sectors]),
            "employer": Column.categories([f"E{e}" for e in employers]),
            "age": Column.integers(ages),
        },
        specialties=Specialties(("A1", "A2", "B1"), ("a one", "a two", "b one"), ("A", "A", "B")),
        skills=Skills(
            ints(e for e, _, _ in skills), ints(s for _, s, _ in skills), ints(p for _, _, p in skills)
        ),
        cases=Cases(
            tuple(f"K{i}" for i in range(len(cases))), ints(s for s, _ in cases), ints(g for _, g in cases)
        ),
        groups=tuple(groups),
        conflict_kinds=KINDS,
        between=Pairs(
            ints(a for a, _ in sorted(edges)),
            ints(b for _, b in sorted(edges)),
            ints([0] * len(edges)),
            ("r",) * len(edges),
        ),
        with_cases=Pairs(
            ints(e for e, _, _ in ties_list),
            ints(c for _, c, _ in ties_list),
            ints(k for _, _, k in ties_list),
            ("r",) * len(ties_list),
        ),
        previous=(Previous("last", date(2025, 4, 18), frozenset(before), len(before)),),
        rules=(rule("group_size"), *rules),
        goals=goals,
    )


def locked(problem: Problem, lock: int, exclude: int) -> Problem:
    """The problem with one expert locked in and another excluded, and the rule that keeps both."""
    return replace(
        problem,
        locks=(Lock(lock, None, "me", "test"),),
        exclusions=(Exclusion(exclude, "me", "test"),),
        rules=(*problem.rules, rule("locks")),
    )


def every_panel(problem: Problem) -> Iterator[Panel]:
    """Every way to fill the groups and their alternates with different people (roles where a rule asks for them)."""
    roles = next((r for r in problem.rules if r.rule == "roles"), None)

    def fill(g: int, left: frozenset[int]) -> Iterator[tuple[dict[int, int], list[tuple[int, ...]]]]:
        if g == len(problem.groups):
            yield {}, []
            return
        group = problem.groups[g]
        for size in range(group.low, group.high + 1):
            for members in combinations(sorted(left), size):
                for waiting in _ordered(
                    sorted(left - set(members)), group.alternates, ordered_places(problem)
                ):
                    for rest, called in fill(g + 1, left - set(members) - set(waiting)):
                        yield {**dict.fromkeys(members, g), **rest}, [waiting, *called]

    for members, waiting in fill(0, frozenset(range(len(problem.experts)))):
        if roles is None:
            yield Panel(problem, members, None, (), tuple(waiting))
            continue
        low, high = roles.deputies_low, roles.deputies_high  # type: ignore[attr-defined]
        for chair, size in product(members, range(low, high + 1)):
            for deputies in combinations(sorted(set(members) - {chair}), size):
                yield Panel(problem, members, chair, deputies, tuple(waiting))


def _ordered(people: Sequence[int], count: int, told_apart: int = 1) -> Iterator[tuple[int, ...]]:
    """The first few alternates in every order, then the others in rising order, whose order no row knows."""
    for first in permutations(people, min(count, told_apart)):
        for others in combinations([p for p in people if p not in first], count - len(first)):
            yield (*first, *others)


def lawful(panel: Panel) -> bool:
    """Whether every hard rule holds, by findings."""
    return not any(True for r in panel.problem.rules if r.soft is None for _ in r.findings(panel))
