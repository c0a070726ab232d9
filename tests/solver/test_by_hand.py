"""Swaps by hand: a verdict is the checker's own, seats stay filled, and candidates are told as they are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tiny_problems import every_panel, goal, lawful, problems, rule

from solver.assemble import assemble
from solver.by_hand import Swap, candidates, judged, swapped
from solver.check import panel_of
from solver.claims import level_costs
from solver.errors import Fault
from solver.model import funnel
from solver.problem import Problem

RULES = (
    rule("case_peers", least=1),
    rule("cap", fact="sector", most=2),
    rule("apart"),
    rule("peer_grade", grade="broad"),
    rule("alternates"),
)
GOALS = (goal("peer_match"),)
SMALL = problems(experts=(4, 6), alternates=True, rules=RULES, goals=GOALS)
MODEST = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@MODEST
@given(SMALL, st.integers(0, 5), st.integers(0, 6))
def test_a_swap_is_lawful_exactly_where_the_checker_finds_nothing(
    problem: Problem, out: int, into: int
) -> None:
    panel = next(every_panel(problem), None)
    assume(panel is not None)
    assert panel is not None
    swap = Swap(sorted(panel.members)[out % len(panel.members)], into % len(problem.experts))
    assume(swap.out != swap.into)
    after = judged(panel, [swap])
    assert after.lawful == lawful(after.panel)
    assert dict(zip([rung.level for rung in after.rungs], after.costs, strict=True)) == level_costs(
        after.panel
    )


@MODEST
@given(SMALL, st.integers(0, 5), st.integers(0, 6))
def test_a_swap_fills_the_seat_and_seats_nobody_twice(problem: Problem, out: int, into: int) -> None:
    panel = next(every_panel(problem), None)
    assume(panel is not None)
    assert panel is not None
    swap = Swap(sorted(panel.members)[out % len(panel.members)], into % len(problem.experts))
    assume(swap.out != swap.into)
    after = swapped(panel, swap)
    assert Counter(after.members.values()) == Counter(panel.members.values())
    assert after.members[swap.into] == panel.members[swap.out]
    assert len(after.everybody) == len(set(after.everybody)) == len(panel.everybody)


@settings(MODEST, max_examples=6)
@given(problems(experts=(4, 5), alternates=True, rules=RULES[2:], goals=GOALS))
def test_candidates_pass_the_gates_and_the_lawful_ones_come_first(problem: Problem) -> None:
    panel = next(filter(lawful, every_panel(problem)), None)
    assume(panel is not None)
    assert panel is not None
    out = min(panel.members)
    found = candidates(panel, out)
    passes = funnel(problem).passes[:, found.group]
    told = {one.expert: one for one in found.found}
    for one in found.found:
        assert passes[one.expert]
        assert bool(one.breaks) != lawful(swapped(panel, Swap(out, one.expert)))
    verdicts = [bool(one.breaks) for one in found.found]
    assert verdicts == sorted(verdicts)
    for expert in range(len(problem.experts)):
        if expert in panel.everybody or not passes[expert]:
            continue
        if lawful(swapped(panel, Swap(out, expert))):
            assert expert in told, "the rows let everybody through who is lawful"


def test_a_seat_that_nobody_holds_and_a_swap_with_oneself_are_told(complete: Problem) -> None:
    answer, _ = assemble(complete)
    panel = panel_of(complete, answer)
    stranger = next(e for e in range(len(complete.experts)) if e not in panel.members)
    with pytest.raises(Fault) as told:
        swapped(panel, Swap(stranger, min(panel.members)))
    assert told.value.code == "hand.not_seated"
    with pytest.raises(Fault) as told:
        candidates(panel, stranger)
    assert told.value.code == "hand.not_seated"
    with pytest.raises(Fault) as told:
        swapped(panel, Swap(min(panel.members), min(panel.members)))
    assert told.value.code == "hand.same_person"


def test_a_role_goes_to_whoever_takes_the_seat_where_they_may_hold_it(complete: Problem) -> None:
    answer, _ = assemble(complete)
    panel = panel_of(complete, answer)
    assert panel.chair is not None
    found = candidates(panel, panel.chair, most=40)
    assert found.found
    for one in found.found:
        after = swapped(panel, Swap(panel.chair, one.expert))
        assert after.chair != panel.chair or panel.chair in after.members
        if not one.breaks:
            assert after.chair is not None
