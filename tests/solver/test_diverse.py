"""Several good panels, against exhaustive enumeration."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refused import refused
from tiny_problems import every_panel, goal, lawful, problems, rule

from solver.check import check, panel_of
from solver.diverse import Several, several
from solver.panel import Panel
from solver.problem import Problem

MODEST = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
RULES = (rule("apart"), rule("case_peers", least=1, soft=1, weight=3), rule("quorum", least="2/3"))
GOALS = (
    goal("peer_match", level=2),
    goal("prefer", fact="age", best=30, worst=75, level=3),
    goal("tie_break", level=4),
)


def cost(panel: Panel) -> tuple[int, ...]:
    """Level by level, from plain values; of a weighted problem, the sum."""
    problem = panel.problem
    found = dict.fromkeys(range(1, 5), 0)
    for r in problem.rules:
        if r.soft is not None:
            found[r.soft] += r.weight * sum(max(0, -m.margin) for m in r.measures(panel))
    for g in problem.goals:
        found[g.level] += g.weight * g.value(panel)
    return (sum(found.values()),) if problem.weighted else tuple(found.values())


def near(problem: Problem, level: int, room: int) -> list[tuple[tuple[int, ...], frozenset[int]]]:
    """Cost and members of every lawful panel within the tolerance at a level (1 of a weighted problem)."""
    every = [(cost(p), frozenset(p.members)) for p in every_panel(problem) if lawful(p)]
    best = min(every, default=((), frozenset()))[0]
    return [
        (own, members)
        for own, members in every
        if own[: level - 1] == best[: level - 1] and own[level - 1] <= best[level - 1] + room
    ]


def holds_up(problem: Problem, told: Several, level: int, room: int) -> None:
    """Each panel is within the tolerance, leaves out as many of those before it as any could, and the end is real."""
    good = near(problem, level, room)
    if not good:
        assert told.panels == []
        assert told.why_not
        return
    before: list[frozenset[int]] = []
    for i, one in enumerate(told.panels):
        panel = panel_of(problem, one.answer)
        members = frozenset(panel.members)
        assert (cost(panel), members) in good
        assert tuple(g.value for g in one.answer.goals) == tuple(
            cost(panel)[0 if problem.weighted else g.level - 1] for g in one.answer.goals
        )
        assert all(g.bound <= g.value for g in one.answer.goals)
        assert one.answer.problem == told.panels[0].answer.problem
        assert not [f for f in check(problem, one.answer) if f.hard]
        assert one.proven
        if before:
            most = max(min(len(b - m) for b in before) for _, m in good)
            assert min(len(b - members) for b in before) == one.left_out == one.left_out_bound == most
            assert {problem.experts[e] for e in members - before[0]} == set(one.came)
            assert {problem.experts[e] for e in before[0] - members} == set(one.left)
        assert told.shared[i][: i + 1] == [len(b & members) for b in [*before, members]]
        before.append(members)
    if len(told.panels) < told.asked:
        assert told.fewer is not None
        assert told.fewer.code == "several.only"
        assert max(min(len(b - m) for b in before) for _, m in good) == 0
    else:
        assert told.fewer is None


@MODEST
@given(problems(experts=(3, 6), ranges=True, rules=RULES, goals=GOALS), st.integers(0, 120))
def test_each_panel_is_the_most_unlike_within_the_tolerance(problem: Problem, room: int) -> None:
    """In units, at the first level with a goal."""
    told = several(problem, 4, room)
    assert (told.level, told.within) == (2, room if told.panels else 0)
    holds_up(problem, told, 2, room)


@MODEST
@given(problems(experts=(3, 6), rules=RULES, goals=GOALS), st.integers(0, 50))
def test_a_share_of_the_optimum_and_a_later_level(problem: Problem, percent: int) -> None:
    """The levels before the one with room stay at their optimum."""
    told = several(problem, 3, Fraction(percent, 100), level=3)
    if told.panels:
        optimum = told.panels[0].answer.goals
        value = next((g.value for g in optimum if g.level == 3), 0)
        assert told.within == percent * value // 100
    holds_up(problem, told, 3, told.within)


@MODEST
@given(
    problems(experts=(3, 6), alternates=True, rules=(*RULES, rule("alternates", no_shows=False)), goals=GOALS)
)
def test_of_a_weighted_problem_the_sum_has_room(problem: Problem) -> None:
    """Soft rules included."""
    weighted = replace(problem, weighted=True)
    told = several(weighted, 3, Fraction(5, 100))
    assert told.level == 0
    holds_up(weighted, told, 1, told.within)


@pytest.mark.parametrize("soft", [False, True])
def test_without_goals_every_lawful_panel_is_as_good(soft: bool) -> None:
    """Only soft rules, if any, are kept at their least."""
    rules = (rule("case_peers", least=1, soft=1),) if soft else ()

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(problems(experts=(4, 6), rules=rules))
    def ask(problem: Problem) -> None:
        told = several(problem, 3, 0)
        assert told.level is None
        holds_up(problem, told, 1, 0)

    ask()


def test_a_search_without_time_says_so(complete: Problem) -> None:
    """Neither panels nor claims."""
    told = several(complete, 3, 10, seconds=1e-9)
    assert told.panels == []
    assert [why.code for why in told.why_not] == ["why_not.stopped"]


def test_stopped_half_way_the_panels_so_far_stand(complete: Problem) -> None:
    """The first is kept, and why there are fewer is said."""
    stop: list[bool] = []
    told = several(
        complete,
        3,
        Fraction(1, 10),
        report=lambda event: stop.append(True) if event.phase == "alternatives" and event.done else None,
        cancelled=lambda: bool(stop),
    )
    assert len(told.panels) == 1
    assert told.fewer is not None
    assert (told.fewer.code, told.fewer.params) == ("several.stopped", {"stopped_by": "cancelled"})


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"k": 0}, "several.number"),
        ({"within": -1}, "several.number"),
        ({"level": 1}, "several.level"),
        ({"level": 9}, "several.level"),
    ],
)
def test_nonsense_is_refused(complete: Problem, more: dict[str, Any], code: str) -> None:
    """No panels, a tolerance below nothing, a level at which no goal could give way."""
    with refused(code):
        several(complete, **{"k": 2, "within": 5, **more})


def test_a_weighted_problem_has_no_levels_to_choose(complete: Problem) -> None:
    """Nor can soft rules alone give way by a tolerance."""
    with refused("several.weighted"):
        several(replace(complete, weighted=True), 2, 5, level=2)
    with refused("several.level"):
        several(replace(complete, weighted=True, goals=()), 2, 5)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(experts=(4, 6), alternates=True, rules=(rule("alternates", no_shows=False),)), st.data())
def test_the_rule_to_be_unlike_means_what_it_says(problem: Problem, data: st.DataObject) -> None:
    """With and without alternates, its rows allow what its findings allow."""
    import numpy as np

    from solver.model import build, funnel, layout

    some = st.sets(st.sampled_from(problem.experts), min_size=1, max_size=3)
    panels = [sorted(data.draw(some)) for _ in range(2)]
    own = rule("unlike", panels=panels, out=data.draw(st.integers(1, 2)), waiting=data.draw(st.booleans()))
    asked = replace(problem, rules=(*problem.rules, own))
    seats = layout(asked, funnel(asked).passes)
    model = build(asked, seats)
    least = min(map(len, panels))
    for panel in list(every_panel(asked))[:200]:
        values = np.zeros(model.width, dtype=np.int64)
        values[: seats.width] = seats.encode(panel)
        people = {asked.experts[e] for e in (panel.everybody if own.waiting else panel.members)}  # type: ignore[attr-defined]
        values[seats.width :] = min([least, *(len(set(p) - people) for p in panels)])
        assert (not len(model.broken_rows(values))) == lawful(panel)
