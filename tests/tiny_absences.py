"""Who may stay away from a tiny panel, and whether a rule survives it: plain sets, every combination, no shortcut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from typing import Any

from hypothesis import strategies as st
from tiny_problems import problems, rule

from solver.panel import Panel
from solver.problem import Problem
from solver.rules.base import Rule

SCENARIOS: dict[str, dict[str, Any]] = {
    "one in every group": {},
    "two in every group": {"absent": 2},
    "one anywhere": {"absent": 1, "anywhere": True},
    "two anywhere": {"absent": 2, "anywhere": True},
}
"""What the `alternates` rule may ask for."""


def absences(panel: Panel, absent: int = 1, anywhere: bool = False) -> Iterator[tuple[int, ...]]:
    """Every set of people who may stay away, nobody included; no group loses more than it has alternates."""
    options = [
        [away for size in range(min(absent, len(waiting)) + 1) for away in combinations(members, size)]
        for members, waiting in zip(panel.by_group, panel.alternates, strict=True)
    ]
    for chosen in product(*options):
        if not anywhere or sum(map(len, chosen)) <= absent:
            yield tuple(e for away in chosen for e in away)


def survives(panel: Panel, one: Rule, absent: int = 1, anywhere: bool = False) -> bool:
    """Whether a rule holds in a panel and after every absence."""
    return not any(one.findings(panel)) and not any(
        any(one.findings_after(panel.after(away))) for away in absences(panel, absent, anywhere)
    )


def drawn(data: st.DataObject, scenario: dict[str, Any], *rules: Rule, ranges: bool = True) -> Problem:
    """A tiny problem whose groups have alternates enough for the scenario."""
    least = scenario.get("absent", 1)
    most = 5 if any(one.rule == "roles" for one in rules) else 6
    problem = data.draw(
        problems(experts=(3 + least, most), ranges=ranges, rules=(*rules, rule("alternates", **scenario)))
    )
    spare = st.integers(least if scenario.get("anywhere") else 0, 2)
    return replace(problem, groups=tuple(replace(g, alternates=data.draw(spare)) for g in problem.groups))
