"""What `assemble` claims, against exhaustive enumeration."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import every_panel, goal, lawful, problems, rule

from expert_pool.region import problems as made
from solver.assemble import assemble
from solver.check import check, panel_of
from solver.panel import Panel
from solver.problem import Limits, Problem
from solver.progress import Progress

MODEST = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
GOALS = (
    goal("peer_match", level=2),
    goal("prefer", fact="age", best=30, worst=75, level=3, weight=2),
    goal("tie_break", level=4),
)
RULES = (
    rule("case_peers", least=1, soft=1, weight=3),
    rule("share", where=[{"fact": "sector", "op": "eq", "value": "private"}], least="1/3", soft=2, weight=50),
    rule("apart"),
    rule("quorum", least="2/3"),
)


def costs(panel: Panel) -> dict[int, int]:
    """What a panel costs at each level, from findings and plain goal values alone."""
    problem = panel.problem
    level: dict[int, int] = {}
    for r in problem.rules:
        if r.soft is not None:
            short = sum(max(0, -m.margin) for m in r.measures(panel))
            level[r.soft] = level.get(r.soft, 0) + r.weight * short
    for g in problem.goals:
        level[g.level] = level.get(g.level, 0) + g.weight * g.value(panel)
    return level


@MODEST
@given(problems(experts=(3, 6), rules=RULES, goals=GOALS))
def test_lexicographic_optimum(problem: Problem) -> None:
    """Level by level, no lawful panel is better; the values named are those of the panel."""
    every = [tuple(sorted(costs(p).items())) for p in every_panel(problem) if lawful(p)]
    answer, _ = assemble(problem)
    if not every:
        assert answer.status == "infeasible"
        return
    assert answer.status == "optimal"
    got = costs(panel_of(problem, answer))
    assert tuple(sorted(got.items())) == min(every)
    assert {g.level: g.value for g in answer.goals} == {
        k: v for k, v in got.items() if k in {g.level for g in answer.goals}
    }
    assert all(g.proven and g.bound == g.value for g in answer.goals)


@MODEST
@given(
    problems(experts=(3, 6), alternates=True, rules=(*RULES, rule("alternates", no_shows=False)), goals=GOALS)
)
def test_weighted_optimum(problem: Problem) -> None:
    """With all costs added, no lawful panel is cheaper."""
    problem = replace(problem, weighted=True)
    every = [sum(costs(p).values()) for p in every_panel(problem) if lawful(p)]
    answer, _ = assemble(problem)
    if not every:
        assert answer.status == "infeasible"
        return
    assert (answer.status, answer.objective, answer.bound) == ("optimal", min(every), min(every))
    assert sum(costs(panel_of(problem, answer)).values()) == min(every)


@MODEST
@given(problems(experts=(4, 6), rules=RULES, goals=GOALS), st.integers(0, 40))
def test_a_tolerance_gives_way_only_as_far(problem: Problem, tolerance: int) -> None:
    """Level 3 is the best among panels within the tolerance of the optimum of level 2."""
    loose = replace(
        problem, goals=(problem.goals[0].model_copy(update={"tolerance": tolerance}), *problem.goals[1:])
    )
    every = [costs(p) for p in every_panel(loose) if lawful(p)]
    answer, _ = assemble(loose)
    if not every:
        return
    first = min(c[1] for c in every)
    second = min(c[2] for c in every if c[1] == first)
    third = min(c[3] for c in every if c[1] == first and c[2] <= second + tolerance)
    got = costs(panel_of(loose, answer))
    assert (got[1], got[3]) == (first, third)
    assert got[2] <= second + tolerance


@MODEST
@given(problems(experts=(3, 6), rules=RULES, goals=GOALS))
def test_the_same_problem_gives_the_same_answer(problem: Problem) -> None:
    """Byte for byte, on one worker."""
    assert assemble(problem)[0].model_dump_json() == assemble(problem)[0].model_dump_json()


@MODEST
@given(
    problems(experts=(3, 6), rules=(rule("apart"), rule("group_peers", least=2), rule("quorum", least="1")))
)
def test_rules_that_cannot_hold_together_are_a_minimal_set(problem: Problem) -> None:
    """Without any one of the rules named there is a panel; with all of them there is none."""
    answer, _ = assemble(problem)
    if answer.status != "infeasible" or answer.why_not[0].code != "why_not.together":
        return
    named = set(answer.why_not[0].params["rules"])

    def possible(kept: set[str]) -> bool:
        hard = [r for r in problem.rules if r.id in kept]
        return any(not any(True for r in hard for _ in r.findings(p)) for p in every_panel(problem))

    assert not possible(named)
    assert all(possible(named - {one}) for one in named - {"group_size"})


def test_a_draw_policy_yields_a_proposal_that_may_not_be_filed() -> None:
    """Under procedure `draw` nothing that this package makes is fileable."""

    @settings(max_examples=5, deadline=None)
    @given(problems(experts=(5, 6)))
    def propose(problem: Problem) -> None:
        assert not assemble(replace(problem, procedure="draw"))[0].fileable

    propose()


def test_a_lock_that_a_gate_bars_is_named(complete: Problem) -> None:
    """An untrained expert locked in: the answer names the expert and the gate."""
    answer, _ = assemble(replace(complete, locks=(replace(complete.locks[0], expert=1),)))
    assert answer.status == "infeasible"
    together, *told = answer.why_not
    assert (together.code, together.params) == ("why_not.together", {"rules": ["trained", "locks"]})
    assert [said.code for said in told] == ["need.gate", "need.lock"]
    assert told[1].params["expert"] == "P01"


def test_no_time_gives_an_honest_unknown(complete: Problem) -> None:
    """Without time there is no panel and no claim."""
    answer, _ = assemble(replace(complete, limits=Limits(seconds=1e-9)))
    assert (answer.status, answer.stopped_by, answer.fileable) == ("unknown", "time", False)


def test_cancelling_returns_what_is_there(complete: Problem) -> None:
    """A cancelled search says so, and what it returns has passed the checker."""
    stop = threading.Event()

    def report(event: Progress) -> None:
        if event.incumbent is not None:
            stop.set()

    answer, _ = assemble(complete, report=report, cancelled=stop.is_set)
    assert answer.stopped_by in ("cancelled", None)
    if answer.members:
        assert not [f for f in check(complete, answer) if f.hard]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_level_never_looked_at_claims_what_the_panel_costs(seed: int) -> None:
    """Stopped after the first panel, every level's value is that of the panel: no slack is counted for nothing."""
    problem = next(iter(made(1, experts=1000, seed=seed, cases=200)))
    stop = threading.Event()

    def report(event: Progress) -> None:
        if event.phase == "solve" and event.incumbent is not None:
            stop.set()

    answer, _ = assemble(replace(problem, weighted=False), report=report, cancelled=stop.is_set)
    assert answer.members
    assert not [finding for finding in check(problem, answer) if finding.hard]


def test_progress_tells_incumbent_and_bound(complete: Problem) -> None:
    """The stream holds both, and the bound never passes the incumbent of the same goal."""
    events: list[Progress] = []
    answer, run = assemble(complete, report=events.append)
    assert answer.status == "optimal"
    solving = [e for e in events if e.phase == "solve"]
    assert any(e.incumbent is not None for e in solving)
    assert all(e.bound <= e.incumbent for e in solving if e.bound is not None and e.incumbent is not None)
    assert run.columns > 0
    assert run.wall_seconds >= 0
