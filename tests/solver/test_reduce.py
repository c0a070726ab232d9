"""Any integer prices prove what they say: a lower bound for all, and more for whoever uses a priced-out column."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import goal, problems, rule

from solver.engines.race import Effort, minimise
from solver.model import Model, build, funnel, layout
from solver.problem import Problem
from solver.reduce import SCALE, certify, prices, restrict
from solver.search import summed

RULES = (
    rule("case_peers", least=2, soft=1, weight=7),
    rule("share", where=[{"fact": "sector", "op": "eq", "value": "private"}], least="1/3"),
    rule("apart"),
    rule("quorum", least="2/3"),
    rule("alternates"),
)
GOALS = (goal("peer_match", level=2), goal("prefer", fact="age", best=30, worst=75, level=3))
MODEST = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
SMALL = problems(experts=(4, 7), alternates=True, ranges=True, rules=RULES, goals=GOALS)


def made(problem: Problem) -> Model:
    return build(problem, layout(problem, funnel(problem).passes))


@MODEST
@given(SMALL, st.randoms(use_true_random=False))
def test_any_prices_give_a_bound(problem: Problem, draw: object) -> None:
    """Random prices, wrong signs and all, never claim more than the optimum."""
    model = made(problem)
    cost = summed(model.levels).cost
    suggested = np.array([draw.randint(-30, 30) * SCALE for _ in model.lower], dtype=np.int64)  # type: ignore[attr-defined]
    best = minimise(model, cost, Effort(30))
    if best.value is not None:
        assert certify(model, cost, suggested).floor <= best.value
        assert prices(model, cost).floor <= best.value


@MODEST
@given(SMALL)
def test_a_column_costs_what_its_price_says(problem: Problem) -> None:
    """Forced into use, a column with a positive reduced cost costs at least the bound plus that."""
    model = made(problem)
    cost = summed(model.levels).cost
    priced = prices(model, cost)
    for column in np.flatnonzero(priced.reduced > 0)[:6].tolist():
        lower = model.column_lower.copy()
        lower[column] = 1
        forced = minimise(replace(model, column_lower=lower), cost, Effort(30))
        if forced.value is not None:
            assert forced.value * SCALE >= priced.bound + int(priced.reduced[column])


@MODEST
@given(SMALL)
def test_a_restricted_model_has_the_same_solutions_over_its_columns(problem: Problem) -> None:
    """Dropping rows that cannot be broken any more changes no optimum."""
    model = made(problem)
    cost = summed(model.levels).cost
    kept = np.arange(model.width) % 5 != 0
    upper = np.where(kept, model.column_upper, model.column_lower)
    plain = minimise(replace(model, column_upper=upper), cost, Effort(30))
    small = minimise(restrict(model, kept), cost, Effort(30))
    assert (small.status, small.value) == (plain.status, plain.value)
    if small.values is not None:
        assert not len(model.broken_rows(small.values))


def test_prices_too_large_for_64_bits_are_given_up(complete: Problem) -> None:
    """Absurd weights weaken the bound; they never overflow into a false one."""
    model = made(complete)
    heavy = summed(model.levels).cost
    huge = 10**11 * heavy
    best = minimise(model, heavy, Effort(60))
    assert best.value is not None
    assert prices(model, huge).floor <= 10**11 * best.value
