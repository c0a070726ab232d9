"""Rows that survive no-shows: exact, rule by rule, against trying every absence on plain sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_absences import SCENARIOS, absences, drawn, survives
from tiny_blocks import allows
from tiny_problems import every_panel, rule

from solver.blocks import FREE, Block, Linear, Row
from solver.model import layout
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Survival
from solver.seats import Place, Seats
from solver.survival import surviving_rows

PRIVATE = {"fact": "sector", "op": "eq", "value": "private"}
OTHERS = {"fact": "sector", "op": "in", "value": ["provincial", "grassroots"]}
PARTS = [{"name": "p", "where": [PRIVATE], "weight": 1}, {"name": "q", "where": [OTHERS], "weight": 2}]
RULES = {
    "cap": rule("cap", fact="employer", most=2),
    "cap of one": rule("cap", fact="sector", most=1),
    "cap in a group": rule("cap", fact="sector", most=1, scope="group"),
    "share at least": rule("share", where=[PRIVATE], least="1/3"),
    "share at most": rule("share", where=[PRIVATE], most="1/2"),
    "share between, in a group": rule("share", where=[OTHERS], least="1/3", most="2/3", scope="group"),
    "ratio": rule("ratio", parts=PARTS),
    "ratio with a tolerance": rule("ratio", parts=PARTS, tolerance=1),
    "newcomers": rule("newcomers", least="1/2"),
    "group peers": rule("group_peers", least=1),
    "case peers": rule("case_peers", least=1, grade="broad"),
    "quorum": rule("quorum", least="1/2"),
    "quorum in a group": rule("quorum", least="1/2", of="group"),
    "chair and deputy": rule("roles", chair=[PRIVATE]),
    "chair and deputies": rule("roles", deputies_low=0, deputies_high=2),
}
MODEST = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


def some_panels(data: st.DataObject, problem: Problem, most: int = 100) -> list[Panel]:
    """All panels of a tiny problem, or that many of them."""
    panels = list(every_panel(problem))
    picked = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(panels))[:most]
    return [panels[i] for i in sorted(picked.tolist())]


def everybody_passes(problem: Problem) -> Seats:
    return layout(problem, np.ones((len(problem.experts), len(problem.groups)), dtype=bool))


def has_columns(seats: Seats, panel: Panel) -> bool:
    """Not for a chair or deputy who fails the tests of the role."""
    try:
        seats.encode(panel)
    except KeyError:
        return False
    return True


def allowed(one: Rule, seats: Seats, panels: list[Panel]) -> list[bool]:
    """What the rows of a rule allow, its surviving rows in the place of the blocks they are made of."""
    kept = [True] * len(panels)
    for block in one.blocks(seats):
        block = surviving_rows(one, block, seats) or block
        kept = [k and a for k, a in zip(kept, allows(block, seats, panels), strict=True)]
    return kept


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", RULES)
def test_the_rows_allow_just_the_panels_that_survive(name: str, scenario: str) -> None:
    """For every rule and scenario, over the panels of random tiny pools."""

    @MODEST
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        one = RULES[name]
        problem = drawn(data, SCENARIOS[scenario], one, ranges=data.draw(st.booleans()))
        seats = everybody_passes(problem)
        panels = [panel for panel in some_panels(data, problem) if has_columns(seats, panel)]
        assert allowed(one, seats, panels) == [survives(p, one, **SCENARIOS[scenario]) for p in panels]

    compare()


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", ["cap", "share at most", "ratio", "quorum"])
def test_the_sufficient_form_allows_nothing_that_does_not_survive(name: str, scenario: str) -> None:
    """It is the exact one with less room: a part of what that allows."""

    @MODEST
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        one = RULES[name]
        problem = drawn(data, SCENARIOS[scenario] | {"form": "sufficient"}, one)
        panels = some_panels(data, problem)
        given_up = allowed(one, everybody_passes(problem), panels)
        assert all(
            survives(p, one, **SCENARIOS[scenario]) for p, kept in zip(panels, given_up, strict=True) if kept
        )

    compare()


class Weighing(Rule):
    """Members weigh what `weights` says, in every group; together between `low` and `high`. For the tests only."""

    weights: tuple[int, ...]
    low: int | None = None
    high: int | None = None
    survival: ClassVar[Survival] = "rows"

    def blocks(self, seats: Seats) -> Iterator[Block]:
        members = seats.columns(Place.MEMBER)
        weighed = Linear(members, np.array(self.weights, dtype=np.int64)[seats.expert[members]])
        low, high = (-FREE if self.low is None else self.low), (FREE if self.high is None else self.high)
        yield Block.of(self, [Row(weighed, low, high)])

    def measures(self, panel: Panel) -> Iterator[Measure]:
        yield Measure("weighing", sum(self.weights[e] for e in panel.members), self.low, self.high)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_rows_with_any_coefficients_survive_exactly(scenario: str) -> None:
    """Many levels, of both signs, each a step of its own."""

    @settings(MODEST, max_examples=12)
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        problem = drawn(data, SCENARIOS[scenario])
        weights = data.draw(st.lists(st.integers(-2, 3), min_size=6, max_size=6))
        bounds = data.draw(st.tuples(st.none() | st.integers(-4, 2), st.none() | st.integers(0, 6)))
        one = Weighing(rule="weighing", id="w", weights=tuple(weights), low=bounds[0], high=bounds[1])
        panels = some_panels(data, problem)
        assert allowed(one, everybody_passes(problem), panels) == [
            survives(p, one, **SCENARIOS[scenario]) for p in panels
        ]

    compare()


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", [name for name in RULES if not name.startswith("chair")])
def test_rows_that_give_way_by_a_unit_allow_just_what_falls_short_by_a_unit(name: str, scenario: str) -> None:
    """As named and after every absence: where rows bend, none may be stricter than its rule."""

    @MODEST
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        one = RULES[name]
        problem = drawn(data, SCENARIOS[scenario], one, ranges=data.draw(st.booleans()))
        panels, seats = some_panels(data, problem), everybody_passes(problem)
        kept = [True] * len(panels)
        for block in one.blocks(seats):
            again = surviving_rows(one, block, seats, bends=True) or block
            upper = np.where(again.upper == FREE, FREE, again.upper + again.unit)
            lower = np.where(again.lower == -FREE, -FREE, again.lower - again.unit)
            wider = replace(again, lower=lower, upper=upper)
            kept = [k and a for k, a in zip(kept, allows(wider, seats, panels), strict=True)]
        assert kept == [
            all(
                measure.margin >= -1
                for away in absences(panel, **SCENARIOS[scenario])
                for measure in one.measures(panel.after(away))
            )
            for panel in panels
        ]

    compare()


@MODEST
@given(st.data())
def test_several_scenarios_are_kept_at_once(data: st.DataObject) -> None:
    """One in every group, and any two anywhere: two rules of the same kind."""
    one = RULES[data.draw(st.sampled_from(["cap", "share between, in a group", "chair and deputies"]))]
    problem = drawn(data, SCENARIOS["two anywhere"], one)
    problem = replace(problem, rules=(*problem.rules, rule("alternates", id="each")))
    panels = [p for p in some_panels(data, problem) if has_columns(everybody_passes(problem), p)]
    assert allowed(one, everybody_passes(problem), panels) == [
        survives(p, one, 2, True) and survives(p, one) for p in panels
    ]
