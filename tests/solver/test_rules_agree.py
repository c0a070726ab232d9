"""For every rule: on tiny pools, what its blocks allow is what its findings allow. No-shows: test_survival.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model_helper as cp
from tiny_problems import every_panel, locked, problems, rule

from solver.assemble import assemble
from solver.engines.cp_sat import _model
from solver.engines.race import _packed
from solver.model import build, funnel, layout
from solver.panel import Panel
from solver.problem import Problem
from solver.rules import RULES
from solver.rules.base import Rule

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
PROVINCIAL = {"fact": "sector", "op": "in", "value": ["provincial", "grassroots"]}

SAMPLES: dict[str, tuple[Rule, ...]] = {
    "gate": (
        rule("gate", where={"fact": "age", "op": "lt", "value": 70}),
        rule("gate", where={"fact": "age", "op": "ge", "value": 40, "unknown": "passes"}),
        rule("gate", where={"fact": "sector", "op": "not_in", "value": ["private", "grassroots"]}),
    ),
    "peer_grade": (rule("peer_grade", grade="broad"), rule("peer_grade", grade="close")),
    "barred": (rule("barred"),),
    "panel_size": (
        rule("panel_size", low=1, high=7, odd=True),
        rule("panel_size", low=2, high=6, not_multiple_of=3),
        rule("panel_size", low=3, high=3),
    ),
    "group_size": (),
    "roles": (
        rule("roles", chair=[{"fact": "age", "op": "ge", "value": 50}], deputies_low=0, deputies_high=1),
        rule("roles", chair=[PRIVATE], deputy=[PROVINCIAL], deputies_low=1, deputies_high=1),
    ),
    "group_peers": (rule("group_peers", least=1), rule("group_peers", least=2)),
    "case_peers": (rule("case_peers", least=1), rule("case_peers", least=2, grade="broad")),
    "share": (
        rule("share", where=[PRIVATE], least="1/3"),
        rule("share", where=[PRIVATE], most="0.5", scope="group"),
        rule("share", where=[PROVINCIAL], least="1/4", most="2/3"),
    ),
    "ratio": (
        rule(
            "ratio",
            parts=[
                {"name": "p", "where": [PRIVATE], "weight": 1},
                {"name": "q", "where": [PROVINCIAL], "weight": 2},
            ],
            tolerance=0,
        ),
        rule(
            "ratio",
            parts=[
                {"name": "p", "where": [PRIVATE], "weight": 2},
                {"name": "q", "where": [PROVINCIAL], "weight": 3},
            ],
            tolerance=1,
        ),
    ),
    "cap": (rule("cap", fact="employer", most=1), rule("cap", fact="employer", most=1, scope="group")),
    "newcomers": (rule("newcomers", least="1/2"), rule("newcomers", least="1/3", back=2)),
    "apart": (rule("apart"),),
    "quorum": (
        rule("quorum", least="2/3"),
        rule("quorum", least="2/3", of="group"),
        rule("quorum", least="1", recused_counts=True),
    ),
    "alternates": (rule("alternates", no_shows=False),),
    "locks": (),
    "same_size": (rule("same_size", sizes={"G0": 2}),),
    "stays": (rule("stays", people={"P0": "G0"}),),
    "unlike": (
        rule("unlike", panels=[["P0", "P1"], ["P1", "P2"]], out=1),
        rule("unlike", panels=[["P0"]], out=1, waiting=True),
    ),
}
CASES = [(name, i) for name, samples in SAMPLES.items() for i in range(max(1, len(samples)))]
MODEST = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def test_every_rule_has_samples() -> None:
    """A new rule joins this test by adding its samples."""
    assert set(SAMPLES) == set(RULES)


def allowed(problem: Problem) -> set[Panel_key]:
    """All panels that the rows allow: every solution of the model over the seats, told by CP-SAT in one search."""
    narrowed = funnel(problem)
    seats = layout(problem, narrowed.passes)
    model = build(problem, seats)
    if (model.lower > model.upper).any() or (model.column_lower > model.column_upper).any():
        return set()
    live, job = _packed(model, None, None)
    found: set[Panel_key] = set()

    class Each(cp.SolutionCallback):
        def OnSolutionCallback(self) -> None:
            values = np.zeros(model.width, dtype=np.int64)
            values[live] = list(self.Response().solution)
            assert model.broken_rows(values).size == 0
            found.add(key(seats.decode(values)))

    each, wrapper = Each(), cp.SolveWrapper()
    parameters = cp.SatParameters()
    parameters.num_workers, parameters.enumerate_all_solutions = 1, True
    wrapper.set_parameters(parameters)
    wrapper.add_solution_callback(each)
    status = wrapper.solve(_model(job)).status
    assert status == (cp.OPTIMAL if found else cp.INFEASIBLE)
    return found


Panel_key = tuple[tuple[tuple[int, int], ...], int | None, tuple[int, ...], tuple[tuple[int, ...], ...]]


def key(panel: Panel) -> Panel_key:
    return tuple(sorted(panel.members.items())), panel.chair, panel.deputies, panel.alternates


def lawful(problem: Problem) -> set[Panel_key]:
    """All panels without a hard finding."""
    return {
        key(panel)
        for panel in every_panel(problem)
        if not any(True for r in problem.rules if r.soft is None for _ in r.findings(panel))
    }


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_blocks_and_findings_agree(name: str, sample: int) -> None:
    """Enumerates both sides on random tiny pools and compares the sets."""
    with_alternates = name in (
        "gate",
        "peer_grade",
        "barred",
        "apart",
        "alternates",
        "locks",
        "stays",
        "unlike",
    )

    @MODEST
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        samples = SAMPLES[name]
        own = (samples[sample],) if samples else ()
        problem = data.draw(
            problems(experts=(3, 5), alternates=with_alternates, ranges=not with_alternates, rules=own)
        )
        if with_alternates and name != "alternates":
            problem = replace(problem, rules=(*problem.rules, rule("alternates", no_shows=False)))
        if name == "locks":
            problem = locked(problem, 0, 1)
        if name == "newcomers" and data.draw(st.booleans()):
            problem = replace(problem, previous=())
        assert allowed(problem) == lawful(problem)

    compare()


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(experts=(3, 6), rules=(rule("case_peers", least=2, soft=1), rule("quorum", least="2/3"))))
def test_an_optimum_is_the_least_shortfall_of_all_panels(problem: Problem) -> None:
    """A soft rule is broken as little as any lawful panel breaks it."""
    best = min(
        (
            sum(max(0, -m.margin) for m in problem.rules[1].measures(panel))
            for panel in every_panel(problem)
            if not any(True for r in (problem.rules[0], problem.rules[2]) for _ in r.findings(panel))
        ),
        default=None,
    )
    answer, _ = assemble(problem)
    if best is None:
        assert answer.status == "infeasible"
        assert answer.why_not
    else:
        assert answer.status == "optimal"
        assert (answer.goals[0].value if answer.goals else 0) == best


def test_encode_and_decode_are_inverse() -> None:
    """A panel goes to columns and back unchanged."""

    @MODEST
    @given(problems(experts=(4, 6), alternates=True, rules=(rule("alternates", no_shows=False),)))
    def turn(problem: Problem) -> None:
        seats = layout(problem, np.ones((len(problem.experts), len(problem.groups)), dtype=bool))
        for panel in every_panel(problem):
            assert key(seats.decode(seats.encode(panel))) == key(panel)

    turn()
