"""What surviving means for the panel that is found: the best of those that survive, and what cannot be asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from concentrated import concentrated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_absences import SCENARIOS, drawn
from tiny_problems import every_panel, goal, ints, lawful, rule

from solver.assemble import assemble
from solver.document import check_problem
from solver.errors import Fault
from solver.facts import Column
from solver.model import layout
from solver.panel import Panel
from solver.problem import Cases, Group, PolicyRef, Problem, Skills, Specialties
from solver.rules.base import Rule
from solver.seats import Seats
from solver.survival import surviving_rows

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
GOALS = (goal("peer_match", level=1), goal("tie_break", level=2))
MODEST = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
MIXED = (
    rule("share", where=[PRIVATE], least="1/3"),
    rule("cap", fact="employer", most=2),
    rule("quorum", least="1/2"),
    rule("roles"),
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_optimum_is_the_best_panel_that_survives(scenario: str) -> None:
    """Against all lawful panels; the sufficient form is never better."""

    @MODEST
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.sampled_from(MIXED), min_size=2, max_size=3))
        problem = drawn(data, SCENARIOS[scenario], *chosen)
        problem = replace(problem, goals=GOALS)
        costs = [tuple(g.value(p) for g in GOALS) for p in every_panel(problem) if lawful(p)]
        answer, _ = assemble(problem)
        assert (answer.status == "optimal") == bool(costs)
        found = tuple(level.value for level in answer.goals)
        assert not costs or found == min(costs)[: len(found)]
        simpler, _ = assemble(in_form(problem, "sufficient"))
        assert simpler.status == "infeasible" or tuple(level.value for level in simpler.goals) >= found

    compare()


def in_form(problem: Problem, form: str) -> Problem:
    """The same problem with its alternates in another form."""
    return replace(
        problem,
        rules=tuple(
            r.model_copy(update={"form": form}) if r.rule == "alternates" else r for r in problem.rules
        ),
    )


def of_people(sectors: str, groups: tuple[Group, ...], *rules: Rule) -> Problem:
    """Experts told apart by their sector alone, all of them peers of everything."""
    n = len(sectors)
    return Problem(
        title="made by hand",
        committee="C",
        meeting="M",
        on=date(2026, 4, 18),
        procedure="compose",
        policy=PolicyRef("test", "1"),
        seed=1,
        experts=tuple(f"P{i}" for i in range(n)),
        facts={"sector": Column.categories(list(sectors)), "employer": Column.categories(list(sectors))},
        specialties=Specialties(("A1",), ("a one",), ("A",)),
        skills=Skills(ints(range(n)), ints([0] * n), ints([1] * n)),
        cases=Cases(("K0",), ints([0]), ints([0])),
        groups=groups,
        rules=(rule("group_size"), *rules),
    )


def test_the_exact_form_finds_a_panel_where_the_sufficient_one_finds_none() -> None:
    """Four people of one employer, two seats of it allowed: both in one group with an alternate of the same employer, who
    can only sit for one of them. To count the alternate as a third is too much."""
    problem = of_people(
        "aaabbb",
        (Group("G0", "g0", 2, 2, (0,), 1), Group("G1", "g1", 2, 2, (0,), 1)),
        rule("cap", fact="employer", most=2),
        rule("alternates"),
    )
    exact, _ = assemble(problem)
    simpler, _ = assemble(in_form(problem, "sufficient"))
    assert (exact.status, simpler.status) == ("optimal", "infeasible")
    assert not [finding for finding in exact.findings if finding.hard]


def test_in_a_concentrated_field_the_exact_form_finds_more_panels_and_better_ones() -> None:
    """The comparison of docs/alternates.md, on its first seeds."""
    found: dict[str, list[int | None]] = {"exact": [], "sufficient": []}
    for seed in range(8):
        for form, costs in found.items():
            answer, _ = assemble(concentrated(seed, share=0.75, most=3, form=form))
            assert answer.status in ("optimal", "infeasible")
            costs.append(answer.goals[0].value if answer.members else None)
    both = list(zip(found["exact"], found["sufficient"], strict=True))
    assert all(s is None or (e is not None and e <= s) for e, s in both)
    assert any(e is not None and s is None for e, s in both)
    assert any(e is not None and s is not None and e < s for e, s in both)


def test_alternates_are_called_in_order_and_deputies_preside_in_order() -> None:
    """Two absent of one group call its first two; the chair gone, the first deputy who is there presides."""
    problem = of_people("aaaabbbb", (Group("G0", "g0", 4, 4, (0,), 3),), rule("alternates", absent=2))
    panel = Panel(problem, {0: 0, 1: 0, 2: 0, 3: 0}, 2, (0, 3), ((6, 4, 5),))
    met = panel.after((0, 2))
    assert sorted(met.members) == [1, 3, 4, 6]
    assert (met.chair, met.deputies, met.alternates) == (3, (), ((5,),))
    assert panel.after((0, 2, 3)).chair is None
    assert panel.after((1,)).chair == 2


@pytest.mark.parametrize(
    ("fields", "alternates", "code"),
    [
        ({"absent": 2, "anywhere": True}, 1, "problem.alternates_few"),
        ({"absent": 20, "anywhere": True}, 30, "problem.ways_many"),
        ({"absent": 2, "anywhere": True}, 2, "problem.deputies_few"),
        ({"absent": 2}, 2, "problem.deputies_few"),
    ],
)
def test_what_no_panel_can_survive_is_refused(fields: dict[str, Any], alternates: int, code: str) -> None:
    """A fault of the problem, with its numbers, before any search."""
    groups = tuple(Group(f"G{g}", f"g{g}", 3, 3, (0,), alternates) for g in range(4))
    problem = of_people("a" * 20, groups, rule("alternates", **fields), rule("roles"))
    with pytest.raises(Fault) as fault:
        check_problem(problem)
    assert fault.value.code == code


def test_a_soft_rule_asks_for_no_survival() -> None:
    """Neither of other rules nor of itself: it counts alternates."""
    groups = (Group("G0", "g0", 2, 2, (0,), 1),)
    soft = rule("alternates", soft=1)
    problem = of_people("aab", groups, rule("cap", fact="employer", most=1, scope="group"), soft)
    panel = Panel(problem, {0: 0, 2: 0}, None, (), ((1,),))
    assert not list(soft.findings(panel))
    one = problem.rules[1]
    assert (
        surviving_rows(one, next(iter(one.blocks(everybody_passes(problem)))), everybody_passes(problem))
        is None
    )


def everybody_passes(problem: Problem) -> Seats:
    return layout(problem, np.ones((len(problem.experts), len(problem.groups)), dtype=bool))
