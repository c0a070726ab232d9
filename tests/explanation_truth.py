"""What an explanation should say, by exhaustive enumeration of tiny problems, and how its claims are held against it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, assume, settings
from tiny_problems import every_panel, goal, lawful, rule

from solver.answer import Answer
from solver.assemble import assemble
from solver.check import panel_of
from solver.explanation.document import Change
from solver.explanation.standing import rungs
from solver.panel import Panel
from solver.problem import Problem

MODEST = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
GOALS = (
    goal("peer_match", level=2),
    goal("prefer", fact="age", best=30, worst=75, level=3, weight=2),
    goal("tie_break", level=4),
)
RULES = (
    rule("case_peers", least=1, soft=1, weight=3),
    rule("share", where=[{"fact": "sector", "op": "eq", "value": "private"}], least="1/3", soft=2, weight=50),
    rule("cap", fact="employer", most=2),
    rule("apart"),
    rule("quorum", least="1/2"),
)
STRICT = (
    *RULES,
    rule("gate", id="age", where={"fact": "age", "op": "lt", "value": 70}),
    rule("barred"),
    rule("newcomers", least="1/3"),
    rule("group_peers", least=1),
)


def costs(panel: Panel) -> tuple[int, ...]:
    """What a panel costs on each rung, from findings and plain goal values alone."""
    problem = panel.problem
    at = {rung.level: 0 for rung in rungs(problem)}

    def add(level: int, cost: int) -> None:
        at[0 if problem.weighted else level] += cost

    for r in problem.rules:
        if r.soft is not None:
            add(r.soft, r.weight * sum(max(0, -m.margin) for m in r.measures(panel)))
    for g in problem.goals:
        add(g.level, g.weight * g.value(panel))
    return tuple(at.values())


def difference(problem: Problem, one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    """In the units of the rungs."""
    return tuple((a - b) // rung.unit for a, b, rung in zip(one, other, rungs(problem), strict=True))


def vector(change: Change) -> tuple[int | None, ...]:
    return tuple(level.most for level in change.levels)


def says_exactly(change: Change, truth: tuple[int, ...] | None) -> None:
    """The truth, and that it is the truth."""
    if truth is None:
        assert (change.outcome, change.proven) == ("impossible", True)
        return
    assert change.outcome == "found"
    assert vector(change) == truth
    assert change.proven
    assert tuple(level.least for level in change.levels) == truth


def holds(change: Change, truth: tuple[int, ...] | None) -> None:
    """Nothing is claimed that is not so: the truth lies between `least` and `most`, in the order of the levels."""
    if change.outcome == "impossible" or truth is None:
        assert truth is None
        assert change.outcome != "found"
        return
    if change.outcome == "found":
        assert vector(change) >= truth
        if change.proven:
            first = next((i for i, level in enumerate(change.levels) if level.most), len(truth))
            assert vector(change)[: first + 1] == truth[: first + 1]
    for level, value in zip(change.levels, truth, strict=True):
        if level.least is None or level.least < value:
            break
        assert level.least == value


def solved(problem: Problem) -> tuple[Answer, Panel]:
    if not any(getattr(r, "no_shows", False) for r in problem.rules):
        assume(any(lawful(p) for p in every_panel(problem)))
    answer, _ = assemble(problem)
    assume(answer.members)
    return answer, panel_of(problem, answer)
