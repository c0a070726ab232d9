"""What each rule costs: dropped, and one seat softer, against all panels of tiny problems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from explanation_truth import (
    GOALS,
    MODEST,
    RULES,
    STRICT,
    costs,
    difference,
    holds,
    says_exactly,
    solved,
    vector,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_problems import SECTORS, every_panel, problems, rule

from solver.answer import Answer
from solver.assemble import assemble
from solver.explain import explain
from solver.explanation.document import Change
from solver.explanation.questions import dropping, easing, softer
from solver.explanation.standing import allowed, panel_in
from solver.model import build, funnel, layout
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.base import Rule


def each_rule(problem: Problem, answer: Answer, panel: Panel, *, exact: bool) -> Iterable[tuple[Change, Any]]:
    """What is said of every rule, dropped and eased, and what is so."""
    said = explain(problem, answer, experts=(), rules=None, exact=exact)
    assert [r.result.id for r in said.rules] == [r.id for r in problem.rules]
    every: dict[Any, list[tuple[Panel, set[str]]]] = {}

    def lawful_in(changed: Problem) -> list[Panel]:
        """Each panel is judged once by each rule that stays as it is."""
        shape = (changed.groups, any(r.rule == "roles" for r in changed.rules))
        if shape not in every:
            every[shape] = [
                (p, {r.id for r in problem.rules if r.soft is None and any(r.findings(p))})
                for p in every_panel(changed)
            ]
        kept = {r.id for r in changed.rules if r in problem.rules and changed.groups == problem.groups}
        anew = [r for r in changed.rules if r.soft is None and r.id not in kept]
        panels = [panel_in(changed, p) for p, broken in every[shape] if not broken & kept]
        return [p for p in panels if not any(True for r in anew for _ in r.findings(p))]

    for r, why in zip(problem.rules, said.rules, strict=True):
        for changed, change in ((dropping(problem, r), why.dropped), (easing(problem, r), why.eased)):
            assert (changed is None) == (change is None)
            if changed is not None and change is not None:
                other = min(costs(p) for p in lawful_in(changed))
                yield change, difference(changed, other, costs(panel_in(changed, panel)))


PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
COUNTING = (
    rule("share", where=[PRIVATE], least="1", scope="group"),
    rule("share", where=[PRIVATE], most="0"),
    rule("newcomers", least="1"),
    rule("cap", fact="employer", most=1),
    rule("quorum", least="1"),
    rule("group_peers", least=2),
    rule("case_peers", least=3),
    rule(
        "ratio",
        parts=[
            {"name": s, "where": [{"fact": "sector", "op": "eq", "value": s}], "weight": 1} for s in SECTORS
        ],
    ),
)


@pytest.mark.parametrize("counting", COUNTING, ids=lambda r: f"{r.rule}")
@settings(MODEST, max_examples=4)
@given(data=st.data())
def test_one_seat_softer_is_one_seat_for_rows_and_for_people(counting: Rule, data: st.DataObject) -> None:
    """Exactly the panels that miss each count by no more than one."""
    eased = softer(counting)
    problem = data.draw(problems(experts=(4, 6), ranges=data.draw(st.booleans()), rules=(eased,)))
    model = build(problem, layout(problem, funnel(problem).passes))
    for panel in every_panel(problem):
        near = all(m.margin >= -1 for m in counting.measures(panel))
        assert (not any(True for _ in eased.findings(panel))) == near
        assert allowed(model, panel) == near


@settings(MODEST, max_examples=4)
@given(problems(experts=(4, 6), rules=STRICT, goals=GOALS))
def test_prices_of_rules_are_exact(problem: Problem) -> None:
    """Dropped, and one seat softer: against all panels that keep the other rules, by findings alone."""
    for change, truth in each_rule(problem, *solved(problem), exact=True):
        says_exactly(change, truth)


@settings(MODEST, max_examples=4)
@given(
    problems(
        experts=(4, 5),
        ranges=True,
        rules=(
            *RULES,
            rule("panel_size", low=2, high=5, odd=True),
            rule("roles", chair=[{"fact": "age", "op": "ge", "value": 40}], deputies_low=0),
        ),
        goals=GOALS,
    )
)
def test_quick_prices_of_rules_hold_the_truth(problem: Problem) -> None:
    for change, truth in each_rule(problem, *solved(problem), exact=False):
        holds(change, truth)
        assert vector(change) <= (0,) * len(truth)


def test_prices_with_every_feature_are_gains(complete: Problem) -> None:
    answer, _ = assemble(complete)
    said = explain(complete, answer, experts=(), rules=None)
    for why in said.rules:
        for change in (why.dropped, why.eased):
            if change is not None:
                assert vector(change) <= (0,) * len(change.levels)
    by_id = {why.result.id: why for why in said.rules}
    assert by_id["group_size"].dropped is None
    assert by_id["alternates"].eased is not None
    assert by_id["trained"].bars_alone is not None
    assert by_id["apart"].eased is None
