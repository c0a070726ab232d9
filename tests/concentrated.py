"""Small committees in a concentrated field: most experts of a specialty work in one region, many for one of two employers.

Caps and quorum bind here, and whole groups may come from one region: where to count alternates as if they sat is too much.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from tiny_problems import KINDS, goal, ints, rule

from solver.facts import Column
from solver.problem import Cases, Group, Pairs, PolicyRef, Problem, Skills, Specialties


def concentrated(seed: int, *, share: float, most: int, form: str) -> Problem:
    """36 experts, 3 groups of 3 with one alternate each, 18 cases. `share` of a specialty works in one region, of which
    at most `most` may sit; `form` is that of the alternates."""
    draw = np.random.default_rng(seed)
    experts, groups, cases = 36, 3, 18
    field, of = np.arange(experts) % groups, np.arange(cases) % groups
    region = np.where(draw.random(experts) < share, field, draw.integers(0, groups + 2, experts))
    usual = field * 4 + draw.integers(0, 2, experts)
    employer = np.where(draw.random(experts) < 0.5, usual, draw.integers(0, groups * 4, experts))
    usual = of * 4 + draw.integers(0, 2, cases)
    applicant = np.where(draw.random(cases) < 0.7, usual, draw.integers(0, groups * 4, cases))
    ties = np.argwhere(employer[:, None] == applicant)
    also = [(e, int(draw.integers(0, groups))) for e in range(0, experts, 3)]
    skills = sorted({*((e, int(s)) for e, s in enumerate(field)), *also})
    names = tuple(f"S{g}" for g in range(groups))
    private = {"fact": "private", "op": "eq", "value": True}
    return Problem(
        title="concentrated",
        committee="C",
        meeting="M",
        on=date(2026, 4, 18),
        procedure="compose",
        policy=PolicyRef("test", "1"),
        seed=seed,
        experts=tuple(f"P{e:02}" for e in range(experts)),
        facts={
            "region": Column.categories([f"R{r}" for r in region]),
            "employer": Column.categories([f"E{e}" for e in employer]),
            "private": Column.booleans([bool(p) for p in draw.random(experts) < 0.3]),
        },
        specialties=Specialties(names, names, names),
        skills=Skills(
            ints(e for e, _ in skills),
            ints(s for _, s in skills),
            ints(1 + int(p) for p in draw.integers(0, 3, len(skills))),
        ),
        cases=Cases(tuple(f"K{c}" for c in range(cases)), of, of),
        groups=tuple(Group(f"G{g}", f"group {g}", 3, 3, (g,), 1) for g in range(groups)),
        conflict_kinds=KINDS,
        with_cases=Pairs(ties[:, 0], ties[:, 1], ints([0] * len(ties)), ("r",) * len(ties)),
        rules=(
            rule("peer_grade", grade="close"),
            rule("group_size"),
            rule("cap", id="region", fact="region", most=most),
            rule("cap", id="employer", fact="employer", most=3),
            rule("share", where=[private], least="1/4"),
            rule("quorum", least="2/3"),
            rule("alternates", form=form),
        ),
        goals=(goal("peer_match"),),
    )
