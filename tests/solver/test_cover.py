"""A tree of branches never closes a column that a good enough panel could use."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import goal, problems, rule

from solver.cover import Cover, narrowed, present
from solver.engines.race import Effort, minimise
from solver.model import build, funnel, layout
from solver.problem import Problem
from solver.search import search, summed

RULES = (
    rule("case_peers", least=2, soft=1, weight=7),
    rule("share", where=[{"fact": "sector", "op": "eq", "value": "private"}], least="1/3"),
    rule("apart"),
    rule("quorum", least="2/3"),
    rule("alternates"),
)
GOALS = (goal("peer_match", level=2), goal("tie_break", level=3))
MODEST = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
SMALL = problems(experts=(5, 8), alternates=True, rules=RULES, goals=GOALS)


@MODEST
@given(SMALL, st.integers(0, 4))
def test_what_the_branches_close_is_not_needed(problem: Problem, splits: int) -> None:
    """However often it is split, forcing a closed column costs more than allowed, and no panel costs less than the floor."""
    model = build(problem, layout(problem, funnel(problem).passes))
    cost = summed(model.levels).cost
    best = minimise(model, cost, Effort(30))
    cover = Cover(model, cost)
    if best.value is None:
        assert best.status == "infeasible"
        return
    assert not cover.impossible
    for _ in range(splits):
        if not cover.split(best.value):
            break
    assert cover.floor <= best.value
    kept = cover.kept(best.value)
    assert best.values is not None
    assert kept[best.values != 0].all()
    for column in np.flatnonzero(~kept & (model.column_upper != 0))[:5].tolist():
        lower = model.column_lower.copy()
        lower[column] = 1
        forced = minimise(model.within(lower, model.column_upper), cost, Effort(30))
        assert forced.value is None or forced.value > best.value


def test_branching_ends_where_few_seats_are_left(complete: Problem) -> None:
    """Nothing is branched that is small already, and a budget of nothing branches nothing."""
    model = build(complete, layout(complete, funnel(complete).passes))
    cover = Cover(model, summed(model.levels).cost)
    kept = narrowed(cover, 10**9, few=10**6, worth=lambda: True)
    assert len(cover.leaves) == 1
    assert present(model, kept) > 0
    narrowed(cover, 10**9, few=0, worth=lambda: False)
    assert len(cover.leaves) == 1


@MODEST
@given(problems(experts=(5, 8), alternates=True, rules=RULES, goals=(*GOALS,)))
def test_unique_means_that_no_other_panel_is_as_good(problem: Problem) -> None:
    """`unique` against the engine asked for a second panel at the same cost of every level."""
    outcome = search(problem, distinct=True)
    if outcome.panel is None:
        return
    model = outcome.model
    values = outcome.values
    assert values is not None
    for level in model.levels:
        model = model.keeping(level, level.cost.at(values))
    second = minimise(model.unlike(values), None, Effort(30))
    assert outcome.unique is (second.status == "infeasible")
