"""Frontiers against exhaustive enumeration."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refused import refused
from tiny_problems import every_panel, goal, lawful, problems, rule

from expert_pool.packaged import fixture
from solver.claims import level_costs
from solver.document import read_problem
from solver.problem import Limits, Problem
from solver.sweeping.frontier import Frontier, Proven, frontier

MODEST = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
RULES = (rule("apart"), rule("case_peers", least=1, soft=1, weight=3))
GOALS = (
    goal("peer_match", level=2),
    goal("prefer", fact="age", best=30, worst=75, level=3),
    goal("tie_break", level=4),
)


def enumerated(problem: Problem, goals: tuple[str, ...]) -> set[tuple[int, ...]]:
    """The costs that no lawful panel beats, coverage kept at its best."""
    panels = [panel for panel in every_panel(problem) if lawful(panel)]
    best = min((level_costs(panel)[1] for panel in panels), default=0)
    chosen = [next(g for g in problem.goals if g.id == id_) for id_ in goals]
    costs = {tuple(g.value(panel) for g in chosen) for panel in panels if level_costs(panel)[1] == best}
    return {
        one
        for one in costs
        if not any(other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in costs)
    }


def holds(problem: Problem, found: Frontier) -> None:
    wanted = enumerated(problem, found.goals)
    assert found.status == ("found" if wanted else "infeasible")
    assert {point.costs for point in found.points} == wanted
    assert found.complete
    assert [point.costs for point in found.points] == sorted(wanted)
    for point in found.points:
        assert point.proven
        assert lawful(point.panel)


@MODEST
@given(problem=problems(experts=(4, 7), ranges=True, rules=RULES, goals=GOALS))
def test_two_goals_give_every_efficient_panel(problem: Problem) -> None:
    holds(problem, frontier(problem, ("peer_match", "prefer")))
    holds(problem, frontier(problem, ("tie_break", "peer_match")))


@settings(MODEST, max_examples=6)
@given(problem=problems(experts=(4, 6), rules=RULES, goals=GOALS))
def test_three_goals_give_every_efficient_panel(problem: Problem) -> None:
    holds(problem, frontier(problem, ("peer_match", "prefer", "tie_break")))


def test_a_frontier_that_is_stopped_says_so(complete: Problem) -> None:
    ends = iter([False] * 40 + [True] * 10**6)
    found = frontier(complete, ("prefer", "tie_break"), cancelled=lambda: next(ends))
    assert not found.complete
    assert found.stopped_by == "cancelled"
    limited = replace(complete, limits=Limits(seconds=0.001))
    assert frontier(limited, ("prefer", "tie_break")).status == "unknown"


def test_the_knee_lies_farthest_below_the_chord() -> None:
    from solver.panel import Panel
    from solver.sweeping.frontier import FrontierPoint, knee

    def point(*costs: int) -> FrontierPoint:
        return FrontierPoint(costs, costs[0], True, Panel.__new__(Panel))

    assert knee([point(0, 100), point(10, 20), point(50, 10), point(100, 0)]) == 1
    assert knee([point(0, 10), point(10, 0)]) is None
    assert knee([point(0, 10), point(5, 5), point(10, 0)]) is None


@pytest.mark.parametrize(
    ("goals", "code"),
    [
        (("peer_match",), "frontier.goals"),
        (("peer_match", "peer_match"), "frontier.goals"),
        (("peer_macht", "prefer"), "sweep.unknown"),
    ],
)
@given(data=st.data())
@settings(max_examples=1, deadline=None)
def test_goals_that_make_no_frontier_are_refused(
    goals: tuple[str, ...], code: str, data: st.DataObject
) -> None:
    problem = data.draw(problems(rules=RULES, goals=GOALS))
    with refused(code):
        frontier(problem, goals)


def test_what_was_proven_before_a_stop_is_not_asked_again() -> None:
    """Nor is anything believed that does not hold."""
    problem, goals = read_problem(fixture("problems", "small.json")), ("peer_match", "least_served")
    whole = frontier(problem, goals)
    kept: dict[str, Proven] = {}

    def keep(proven: Proven) -> None:
        kept[proven.question] = proven

    half = frontier(problem, goals, keep=keep, cancelled=lambda: len(kept) >= 3)
    assert not half.complete
    again = frontier(problem, goals, known=kept.get, keep=keep)
    assert again.solves == whole.solves - 3 > 0
    assert replace(again, solves=whole.solves) == whole
    assert frontier(problem, goals, known=kept.get).solves == 0
    wrong = {
        question: replace(proven, values=proven.values and proven.values[:-1])
        for question, proven in kept.items()
    }
    assert replace(frontier(problem, goals, known=wrong.get), solves=whole.solves) == whole
