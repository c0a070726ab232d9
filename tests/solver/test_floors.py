"""Floors are never above what a panel costs, and impossible means impossible: against every panel of tiny problems."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from tiny_problems import every_panel, goal, lawful, problems, rule

from solver.claims import level_costs
from solver.floors import easier, floors
from solver.model import funnel
from solver.problem import Problem
from solver.sweeping.kept import Kept

RULES = (
    rule("case_peers", least=2, soft=1, weight=7),
    rule("share", where=[{"fact": "sector", "op": "eq", "value": "private"}], least="1/3"),
    rule("apart"),
    rule("alternates"),
)
GOALS = (goal("peer_match", level=2), goal("tie_break", level=3))
SMALL = problems(experts=(4, 6), alternates=True, rules=RULES, goals=GOALS)
MODEST = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@MODEST
@given(SMALL)
def test_no_lawful_panel_costs_less_than_the_floor_of_any_level(problem: Problem) -> None:
    shown = floors(problem, funnel(problem))
    costs = [level_costs(panel) for panel in every_panel(problem) if lawful(panel)]
    if shown.impossible:
        assert costs == []
    for one in shown.levels:
        assert all(cost[one.level] >= one.floor for cost in costs)


@MODEST
@given(SMALL)
def test_what_is_known_of_a_problem_like_it_changes_no_floor(problem: Problem) -> None:
    known = Kept()
    first = floors(problem, known.funnel(problem), known)
    assert floors(problem, known.funnel(problem), known) == first == floors(problem, funnel(problem))


def test_levels_that_only_break_ties_have_no_floor(complete: Problem) -> None:
    shown = floors(complete, funnel(complete))
    assert shown.levels
    assert not [one for one in shown.levels if one.id == "tie_break"]
    assert {rule.rule for rule in easier(complete).rules} == {rule.rule for rule in complete.rules} - {
        "apart"
    }
