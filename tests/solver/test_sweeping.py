"""Sweeps against cold searches and exhaustive enumeration: the theorems of re-use, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refused import refused
from tiny_problems import every_panel, goal, lawful, locked, problems, rule

from solver.claims import level_costs
from solver.cover import Cover
from solver.facts import Where
from solver.model import build, funnel, layout
from solver.problem import Problem, RuleChange
from solver.rules.base import Rule
from solver.search import search
from solver.sweeping.changes import (
    Agenda,
    FactChange,
    GoalChange,
    Joining,
    Leaving,
    Recruit,
    Seating,
    applied,
)
from solver.sweeping.kept import Kept
from solver.sweeping.order import looser
from solver.sweeping.people import ConflictChange, Learning, Merging
from solver.sweeping.settled import searched
from solver.sweeping.sweep import Point, planned, sweep

MODEST = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
SHARES = ("0", "1/4", "1/3", "1/2", "3/4", "1")
RULES = (
    rule("share", id="private", where=[PRIVATE], least="0"),
    rule("newcomers", least="0"),
    rule("cap", fact="employer", most=3),
    rule("apart"),
    rule("case_peers", least=1, soft=1, weight=3),
)
GOALS = (
    goal("peer_match", level=2),
    goal("prefer", fact="age", best=30, worst=75, level=3),
    goal("tie_break", level=4),
)


def points(draw: st.DrawFn, most: int = 6) -> list[Point]:
    return [
        (
            RuleChange("private", {"least": draw(st.sampled_from(SHARES))}),
            RuleChange("newcomers", {"least": draw(st.sampled_from(SHARES))}),
            RuleChange("cap", {"most": draw(st.integers(1, 3))}),
        )
        for _ in range(draw(st.integers(2, most)))
    ]


def best(problem: Problem) -> tuple[tuple[int, ...], int] | None:
    """The least cost of all lawful panels, level by level, and how many panels have it."""
    found = [tuple(level_costs(p).values()) for p in every_panel(problem) if lawful(p)]
    return (min(found), found.count(min(found))) if found else None


@MODEST
@given(data=st.data(), weighted=st.booleans(), alternates=st.booleans())
def test_every_point_has_the_optimum_that_enumeration_finds(
    data: st.DataObject, weighted: bool, alternates: bool
) -> None:
    more = (rule("alternates"),) if alternates else ()
    problem = data.draw(problems(experts=(5, 7), alternates=alternates, rules=(*RULES, *more), goals=GOALS))
    problem = replace(problem, weighted=weighted)
    plan = planned(problem, points(data.draw))
    for at, settled in sweep(plan).items():
        wanted = best(plan.problems[at])
        if wanted is None:
            assert settled.status == "infeasible"
            assert settled.panel is None
            continue
        assert settled.status == "optimal"
        assert settled.costs == wanted[0]
        assert settled.unique is (wanted[1] == 1)
        assert settled.panel is not None
        assert settled.panel.problem is plan.problems[at]
        assert lawful(settled.panel)
        assert tuple(level_costs(settled.panel).values()) == wanted[0]
        cold = search(plan.problems[at], distinct=True)
        assert (cold.status, cold.goals) == (settled.status, settled.goals)
        if cold.unique:
            assert cold.panel is not None
            assert cold.panel.members == settled.panel.members
            assert cold.panel.alternates == settled.panel.alternates


@MODEST
@given(data=st.data())
def test_a_looser_problem_holds_every_lawful_panel_of_the_tighter_at_the_same_cost(
    data: st.DataObject,
) -> None:
    problem = data.draw(problems(experts=(4, 6), ranges=True, rules=RULES, goals=GOALS))
    one = locked(problem, 0, 1)
    plan = planned(problem, points(data.draw, 4))
    every = (*plan.problems, one, applied(problem, [Leaving((problem.experts[2],))]))
    relation = looser(every)
    for i, loose in enumerate(every):
        for j, tight in enumerate(every):
            if relation[i, j]:
                for panel in every_panel(tight):
                    if lawful(panel):
                        own = replace(panel, problem=loose)
                        assert lawful(own)
                        assert level_costs(own) == level_costs(panel)


def variants() -> dict[str, list[Rule]]:
    """Rules of one kind with different fields."""
    shares = ("0", "1/3", "1/2", "1")
    return {
        "share": [
            rule("share", where=[PRIVATE], least=a, most=b)
            for a in (None, *shares)
            for b in (None, "1/2", "1")
        ],
        "newcomers": [rule("newcomers", least=a, back=b) for a in shares for b in (1, 2)],
        "quorum": [
            rule("quorum", least=a, of=b, recused_counts=c)
            for a in shares
            for b in ("panel", "group")
            for c in (False, True)
        ],
        "cap": [rule("cap", fact="employer", most=a, scope=b) for a in (1, 2, 3) for b in ("panel", "group")],
        "case_peers": [rule("case_peers", least=a, grade=b) for a in (1, 2) for b in ("close", "broad")],
        "group_peers": [rule("group_peers", least=a) for a in (1, 2)],
        "peer_grade": [rule("peer_grade", grade=a) for a in ("close", "broad")],
        "panel_size": [
            rule("panel_size", low=a, high=b, odd=c, not_multiple_of=d)
            for a in (1, 2)
            for b in (5, 6)
            for c in (False, True)
            for d in (None, 2, 3)
        ],
        "ratio": [
            rule(
                "ratio",
                parts=[
                    {"name": s, "where": [{"fact": "sector", "op": "eq", "value": s}], "weight": 1}
                    for s in ("private", "provincial")
                ],
                tolerance=a,
            )
            for a in (0, 1, 2)
        ],
        "gate": [
            rule("gate", where={"fact": "age", "op": o, "value": v, "unknown": u})
            for o in ("lt", "le", "ge", "gt")
            for v in (40, 55)
            for u in ("fails", "passes")
        ],
        "alternates": [rule("alternates", no_shows=a, absent=b) for a in (False, True) for b in (1, 2)],
    }


@pytest.mark.parametrize("kind", sorted(variants()))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_a_rule_says_follows_does_follow(kind: str, data: st.DataObject) -> None:
    alternates = kind == "alternates"
    problem = data.draw(problems(experts=(3, 5), alternates=alternates, ranges=not alternates))
    own = variants()[kind]
    shapes = list(every_panel(replace(problem, rules=(*problem.rules, own[-1]))))[:300]
    holds = [
        [
            not list(one.findings(replace(panel, problem=replace(problem, rules=(*problem.rules, one)))))
            for panel in shapes
        ]
        for one in own
    ]
    for one, tight in zip(own, holds, strict=True):
        for other, loose in zip(own, holds, strict=True):
            if one.implies(other):
                assert all(b for a, b in zip(tight, loose, strict=True) if a), (one, other)


@pytest.mark.parametrize(
    ("tight", "loose", "follows"),
    [
        ({"op": "ge", "value": 90}, {"op": "ge", "value": 60}, True),
        ({"op": "ge", "value": 60}, {"op": "ge", "value": 90}, False),
        ({"op": "lt", "value": 60}, {"op": "lt", "value": 66}, True),
        ({"op": "in", "value": [1]}, {"op": "in", "value": [1, 2]}, True),
        ({"op": "not_in", "value": [1, 2]}, {"op": "not_in", "value": [1]}, True),
        ({"op": "ge", "value": "2026-02-01"}, {"op": "ge", "value": "2026-01-01"}, True),
        ({"op": "ge", "value": "@meeting"}, {"op": "ge", "value": "2026-01-01"}, False),
        ({"op": "eq", "value": 2}, {"op": "eq", "value": 1}, False),
        ({"op": "ge", "value": 60, "unknown": "passes"}, {"op": "ge", "value": 60}, False),
        ({"op": "ge", "value": 60}, {"op": "ge", "value": 60, "unknown": "passes"}, True),
    ],
)
def test_a_harder_test_implies_the_easier_one(
    tight: dict[str, Any], loose: dict[str, Any], follows: bool
) -> None:
    one, other = Where(fact="f", **tight), Where(fact="f", **loose)
    assert one.implies(other) is follows


def test_nothing_is_concluded_from_rows_that_forbid_more_than_they_say() -> None:
    problem = tiny(rule("alternates", form="sufficient"))
    relation = looser(planned(problem, steps("private", SHARES)).problems)
    assert (relation == np.eye(len(SHARES), dtype=bool)).all()


def tiny(*more: Rule, goals: Sequence[Any] = GOALS) -> Problem:
    """One fixed problem of the tiny kind."""
    from datetime import date

    from tiny_problems import SECTORS, ints

    from solver.facts import Column
    from solver.problem import Cases, ConflictKind, Group, Pairs, PolicyRef, Previous, Skills, Specialties

    n = 9
    return Problem(
        title="tiny",
        committee="C",
        meeting="M",
        on=date(2026, 4, 18),
        procedure="compose",
        policy=PolicyRef("test", "1"),
        seed=3,
        experts=tuple(f"P{i}" for i in range(n)),
        facts={
            "sector": Column.categories([SECTORS[i % 3] for i in range(n)]),
            "employer": Column.categories([f"E{i % 4}" for i in range(n)]),
            "age": Column.integers([35 + 4 * i for i in range(n)]),
        },
        specialties=Specialties(("A1", "A2", "B1"), ("a one", "a two", "b one"), ("A", "A", "B")),
        skills=Skills(ints(range(n)), ints(i % 3 for i in range(n)), ints(1 + i % 3 for i in range(n))),
        cases=Cases(("K0", "K1", "K2"), ints([0, 1, 2]), ints([0, 0, 0])),
        groups=(Group("G0", "group", 4, 4, (0, 1, 2), 0),),
        conflict_kinds=(ConflictKind("tie", "pair", "", "D"),),
        between=Pairs(ints([0, 3]), ints([5, 6]), ints([0, 0]), ("r", "r")),
        previous=(Previous("last", date(2025, 4, 18), frozenset({0, 1, 2, 3}), 4),),
        rules=(rule("group_size"), *RULES, *more),
        goals=tuple(goals),
    )


def steps(id_: str, values: Sequence[Any], field: str = "least") -> list[Point]:
    return [(RuleChange(id_, {field: value}),) for value in values]


def test_points_are_taken_over_and_say_from_where() -> None:
    plan = planned(tiny(), steps("private", SHARES))
    settled = sweep(plan)
    hows = [settled[i].how for i in range(len(SHARES))]
    assert hows[0] == "solved"
    assert "panel" in hows
    assert settled[5].status == "infeasible"
    assert all(settled[i].source == 0 for i in settled if settled[i].how == "panel" and i < 3)
    assert [s.costs for _, s in sorted(settled.items()) if s.panel] == [
        tuple(level_costs(p).values()) for p in (s.panel for _, s in sorted(settled.items())) if p
    ]


def test_a_tolerance_that_was_used_up_hands_no_panel_on() -> None:
    """Level one within 40 of its optimum: the panel kept is not the best of level one, so that tighter points, whose
    optimum may be dearer, have more room."""
    goals = (
        goal("prefer", fact="age", best=30, worst=75, level=1, tolerance=40),
        goal("tie_break", level=2),
    )
    problem = tiny(goals=goals)
    problem = replace(problem, rules=tuple(r for r in problem.rules if r.id != "case_peers"))
    plan = planned(problem, steps("private", SHARES))
    settled = sweep(plan)
    assert not settled[0].exact
    for at, one in settled.items():
        cold = search(plan.problems[at], distinct=True)
        assert (one.status, one.goals) == (cold.status, cold.goals)


def test_a_sweep_that_was_stopped_goes_on_where_it_was() -> None:
    plan = planned(tiny(), steps("private", SHARES))
    whole = sweep(plan)
    told: list[int] = []
    half = sweep(plan, watch=lambda at, _: told.append(at), cancelled=lambda: len(told) == 3)
    assert len(half) == 3
    again: list[int] = []
    rest = sweep(plan, known=half, watch=lambda at, _: again.append(at))
    assert not set(told) & set(again)
    assert {at: (s.status, s.costs) for at, s in rest.items()} == {
        at: (s.status, s.costs) for at, s in whole.items()
    }


def test_the_kept_model_is_the_model_made_anew() -> None:
    problem = tiny(rule("quorum", least="2/3"), rule("roles", deputies_low=1, deputies_high=1))
    kept = Kept()
    changes: list[Point] = [
        (),
        *steps("private", ("1/4", "1/2")),
        (Seating("G0", 3, 5),),
        (Leaving(("P1",)),),
        (GoalChange("prefer", {"best": 40}),),
        (FactChange("age", 50, ("P2",)),),
        (Learning({"A1": 3}, ("P2", "P3")),),
        (ConflictChange("tie", None),),
        (Merging({"B1": "A1"}),),
        (),
    ]
    for problem_at in planned(problem, changes).problems:
        passed = kept.funnel(problem_at)
        reused, cold = (
            kept.model(problem_at, passed),
            build(problem_at, layout(problem_at, funnel(problem_at).passes)),
        )
        for name in ("column_lower", "column_upper", "start", "cols", "vals", "lower", "upper"):
            assert np.array_equal(getattr(reused, name), getattr(cold, name)), name
        assert reused.rule_of == cold.rule_of
        for ours, theirs in zip(reused.levels, cold.levels, strict=True):
            assert np.array_equal(ours.cost.cols, theirs.cost.cols)
            assert np.array_equal(ours.cost.vals, theirs.cost.vals)


def test_prices_of_one_point_bound_the_next() -> None:
    """Weak duality: carried prices prove a bound at every other point, never one above the optimum."""
    problem = replace(tiny(), weighted=True)
    plan = planned(problem, steps("private", SHARES[:4]))
    kept = Kept()
    first = searched(plan.problems[0], kept, None)
    assert first.prices
    for at in (1, 2, 3):
        passed = kept.funnel(plan.problems[at])
        kept.prices = first.prices
        model = kept.model(plan.problems[at], passed)
        from solver.search import summed

        level = summed(model.levels)
        carried = kept.suggested(model, level)
        assert carried
        cover = Cover(model, level.cost, None, carried)
        wanted = best(plan.problems[at])
        assert wanted is not None
        assert min(leaf.floor for leaf in (cover._carried(*branch) for branch in carried)) <= wanted[0][0]
        assert cover.floor <= wanted[0][0]


def test_changes_of_every_kind_reach_the_problem() -> None:
    problem = tiny()
    changed = applied(
        problem,
        [
            Joining((Recruit("N1", {"B1": 3}, {"sector": "foreign", "age": 40}, like="P0"),)),
            FactChange("age", None, ("P8",)),
            Agenda(("K1",), (("G0", "B1", 2),)),
            Seating(None, high=6),
            GoalChange("tie_break", None),
            RuleChange("apart", None),
        ],
    )
    assert changed.experts[-1] == "N1"
    assert changed.facts["sector"].show(9) == "foreign"
    assert changed.facts["employer"].show(9) == "E0"
    assert changed.facts["age"].show(8) is None
    assert changed.cases.id == ("K0", "K2", "+G0-B1-1", "+G0-B1-2")
    assert changed.groups[0].high == 6
    assert [g.id for g in changed.goals] == ["peer_match", "prefer"]
    assert "apart" not in [r.id for r in changed.rules]
    assert search(changed, distinct=True).status == "optimal"
    assert problem.groups[0].high == 4


def test_people_are_meant_by_what_they_are_and_learn_move_and_leave() -> None:
    problem = tiny()
    of_employer = {e for e in range(9) if problem.facts["employer"].show(e) == "E0"}
    assert of_employer
    changed = applied(
        problem,
        [
            FactChange("sector", "moved", {"employer": "E0"}),
            Learning({"B1": 3}, {"sector": "moved"}),
            Leaving({"employer": "E0", "sector": "moved"}),
        ],
    )
    assert {e for e in range(9) if changed.facts["sector"].show(e) == "moved"} == of_employer
    b1 = problem.specialties.code.index("B1")
    assert all(changed.held[e][b1] == 3 for e in of_employer)
    assert {exclusion.expert for exclusion in changed.exclusions} == of_employer
    assert not (problem.facts["sector"].values == changed.facts["sector"].values).all()


def test_a_conflict_that_counts_no_longer_and_a_merged_catalogue_leave_nothing_behind() -> None:
    problem = tiny()
    kind = problem.conflict_kinds[int(problem.between.kind[0])].kind
    free = applied(problem, [ConflictChange(kind, None)])
    assert all(free.conflict_kinds[k].kind != kind for k in free.between.kind.tolist())
    assert len(free.between.left) < len(problem.between.left)
    harder = applied(problem, [ConflictChange(kind, "panel")])
    assert next(k.effect for k in harder.conflict_kinds if k.kind == kind) == "panel"
    old, new = (problem.specialties.code.index(code) for code in ("B1", "A1"))
    one = applied(problem, [Merging({"B1": "A1"})])
    assert old not in {
        *one.skills.specialty.tolist(),
        *one.cases.specialty.tolist(),
        *one.groups[0].specialties,
    }
    for expert, skills in enumerate(problem.held[e] for e in range(9)):
        assert one.held[expert].get(new, 0) == max(skills.get(old, 0), skills.get(new, 0))


@pytest.mark.parametrize(
    ("change", "code", "near"),
    [
        (RuleChange("privat", {"least": "1/2"}), "sweep.unknown", "private"),
        (RuleChange("private", {"leest": "1/2"}), "sweep.unknown", "least"),
        (GoalChange("peer_macht", {"weight": 2}), "sweep.unknown", "peer_match"),
        (Leaving(("P99",)), "sweep.unknown", None),
        (FactChange("sectr", "private"), "sweep.unknown", "sector"),
        (Seating("G9"), "sweep.unknown", "G0"),
        (Agenda(("K9",)), "sweep.unknown", "K2"),
        (RuleChange("group_size", None), "problem.ladder_needed", None),
        (RuleChange("private", {"least": "140%"}), "problem.ladder_fields", None),
        (Seating("G0", low=9), "problem.range_crossed", None),
        (FactChange("age", "old"), "problem.fact_compared", None),
        (Leaving({"sectr": "private"}), "sweep.unknown", "sector"),
        (Leaving({"employer": "E99"}), "sweep.nobody", None),
        (Leaving({"age": True}), "sweep.nobody", None),
        (Learning({"A9": 3}, None), "sweep.unknown", "A2"),
        (ConflictChange("ties", None), "sweep.unknown", None),
        (Merging({"B1": "A1", "A1": "B1"}), "sweep.merged_away", None),
    ],
)
def test_a_change_that_does_not_fit_names_what_is_meant(change: Any, code: str, near: str | None) -> None:
    with refused(code) as fault:
        applied(tiny(), [change])
    if near is not None and fault is not None:
        assert fault.value.params["nearest"] == near
