"""A problem that has every feature at once."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tiny_problems import KINDS, SECTORS, goal, ints, rule

from solver.document import check_problem
from solver.facts import Column
from solver.problem import (
    Cases,
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

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}


@pytest.fixture(scope="session")
def complete() -> Problem:
    """60 experts, 3 groups of 3 to 5, 30 cases, every rule and goal, alternates, locks, conflicts of each effect."""
    draw = np.random.default_rng(7)
    n, cases = 60, 30
    sub = draw.integers(0, 6, (n, 2))
    skills = sorted({(e, int(s)) for e in range(n) for s in sub[e]})
    edges = sorted({(int(min(a, b)), int(max(a, b))) for a, b in draw.integers(0, n, (60, 2)) if a != b})
    ties = sorted(
        {
            (int(e), int(c), int(k))
            for e, c, k in zip(
                draw.integers(0, n, 40),
                draw.integers(0, cases, 40),
                draw.choice(3, 40, p=(0.8, 0.1, 0.1)),
                strict=True,
            )
        }
    )
    of = draw.integers(0, 6, cases)
    problem = Problem(
        title="complete",
        committee="C",
        meeting="M",
        on=date(2026, 4, 18),
        procedure="compose",
        policy=PolicyRef("test", "1"),
        seed=11,
        experts=tuple(f"P{i:02}" for i in range(n)),
        facts={
            "sector": Column.categories([SECTORS[i] for i in draw.integers(0, 3, n)]),
            "employer": Column.categories([f"E{i}" for i in draw.integers(0, 15, n)]),
            "age": Column.integers([int(a) for a in draw.integers(32, 74, n)]),
            "trained_until": Column.dates([date(2026, 1 + i % 12, 1) for i in range(n)]),
            "available": Column.booleans([bool(i % 11) for i in range(n)]),
        },
        specialties=Specialties(
            ("A1", "A2", "B1", "B2", "C1", "C2"),
            ("a one", "a two", "b one", "b two", "c one", "c two"),
            ("A", "A", "B", "B", "C", "C"),
        ),
        skills=Skills(
            ints(e for e, _ in skills), ints(s for _, s in skills), ints(1 + (e + s) % 3 for e, s in skills)
        ),
        cases=Cases(tuple(f"K{i:02}" for i in range(cases)), of, of // 2),
        groups=tuple(Group(f"G{g}", f"group {g}", 3, 5, (2 * g, 2 * g + 1), 2) for g in range(3)),
        conflict_kinds=KINDS,
        between=Pairs(
            ints(a for a, _ in edges), ints(b for _, b in edges), ints([0] * len(edges)), ("r",) * len(edges)
        ),
        with_cases=Pairs(
            ints(e for e, _, _ in ties),
            ints(c for _, c, _ in ties),
            ints(k for _, _, k in ties),
            ("r",) * len(ties),
        ),
        previous=(Previous("2025", date(2025, 4, 18), frozenset(range(0, 60, 5)), 12),),
        locks=(Lock(4, None, "me", "test"),),
        exclusions=(Exclusion(2, "me", "test"),),
        rules=(
            rule("gate", id="trained", where={"fact": "trained_until", "op": "ge", "value": "@meeting"}),
            rule("gate", id="available", where={"fact": "available", "op": "eq", "value": True}),
            rule("barred"),
            rule("peer_grade", grade="broad"),
            rule("group_size"),
            rule("panel_size", low=11, high=13, odd=True),
            rule("roles", chair=[{"fact": "age", "op": "ge", "value": 45}], deputies_low=1, deputies_high=2),
            rule("locks"),
            rule("apart"),
            rule("cap", fact="employer", most=2),
            rule("share", where=[PRIVATE], least="1/4"),
            rule(
                "ratio",
                parts=[
                    {"name": s, "where": [{"fact": "sector", "op": "eq", "value": s}], "weight": w}
                    for s, w in zip(SECTORS, (1, 1, 1), strict=True)
                ],
                tolerance=2,
            ),
            rule("newcomers", least="1/3"),
            rule("group_peers", least=2),
            rule("quorum", least="2/3"),
            rule("case_peers", least=2, soft=1),
            rule("alternates"),
        ),
        goals=(
            goal("peer_match", level=2),
            goal("prefer", fact="age", best=30, worst=75, level=3),
            goal("tie_break", level=4),
        ),
    )
    check_problem(problem)
    return problem
