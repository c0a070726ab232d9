"""Who comes on the day: every chance and every smallest absence against all absences of tiny panels, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_problems import problems, rule

from solver import turnout
from solver.answer import Answer
from solver.assemble import assemble
from solver.attendance import on_the_day
from solver.breaking import ATTENDED, attendance, events_of
from solver.check import panel_of
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.share import seats_for
from solver.turnout import Turnout, binomials, proportion

PRIVATE = [{"fact": "sector", "op": "eq", "value": "private"}]
RULES = (
    rule("panel_size", low=1, high=9),
    rule("case_peers", least=1, grade="broad"),
    rule("group_peers", least=1),
    rule("quorum", least="1/2"),
    rule("quorum", id="quorum_in_group", least="1/3", of="group"),
    rule("share", where=PRIVATE, least="1/3"),
    rule("cap", fact="employer", most=2),
    rule("newcomers", least="1/4"),
    rule("roles", deputies_low=0, deputies_high=1),
    rule("apart"),
)


@st.composite
def assembled(draw: st.DrawFn) -> tuple[Problem, Answer, Panel]:
    """A tiny problem with some of the rules that absences may break, and a lawful panel of it."""
    rules = draw(st.lists(st.sampled_from(RULES), unique_by=lambda r: r.id, max_size=4))
    problem = draw(
        problems(
            experts=(4, 8), alternates=True, ranges=True, rules=(*rules, rule("alternates", no_shows=False))
        )
    )
    answer, _ = assemble(problem)
    if not answer.members:
        problem = replace(problem, rules=(rule("group_size"),), conflict_kinds=problem.conflict_kinds)
        problem = replace(problem, groups=tuple(replace(g, alternates=0) for g in problem.groups))
        answer, _ = assemble(problem)
    return problem, answer, panel_of(problem, answer) if answer.members else Panel(problem, {})


def absences(panel: Panel) -> Iterator[tuple[int, ...]]:
    """Every set of people who may stay away, alternates too."""
    people = panel.everybody
    for size in range(len(people) + 1):
        yield from combinations(people, size)


def likely(panel: Panel, chances: Any, absent: tuple[int, ...]) -> float:
    return float(np.prod([chances[e] if e in absent else 1 - chances[e] for e in panel.everybody]))


QUICK = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(made=assembled(), data=st.data())
def test_chances_are_those_of_all_absences_one_by_one(
    made: tuple[Problem, Answer, Panel], data: st.DataObject
) -> None:
    problem, answer, panel = made
    if not panel.members:
        return
    drawn = st.sampled_from([0.0, 0.1, 0.35, 0.5, 1.0])
    chances = np.array([data.draw(drawn) for _ in problem.experts])
    least = data.draw(st.sampled_from([Fraction(1, 2), Fraction(2, 3), Fraction(1)]))
    events = [*events_of(panel), attendance(panel, least)]
    whole, attended, kept = 0.0, 0.0, dict.fromkeys((e.id for e in events), 0.0)
    for absent in absences(panel):
        weight = likely(panel, chances, absent)
        meeting = panel.after(absent)
        names = [problem.experts[e] for e in absent]
        whole += weight * on_the_day(problem, answer, names).holds
        attended += weight * enough(panel, meeting, least)
        for event in events:
            kept[event.id] += weight * (not event.broken(meeting))
    reckoned = Turnout(panel, chances)
    assert reckoned.kept(events_of(panel)).value == pytest.approx(whole, abs=1e-9)
    assert kept[ATTENDED] == pytest.approx(attended, abs=1e-9)
    for event in events:
        assert reckoned.kept([event]).value == pytest.approx(kept[event.id], abs=1e-9)
        assert reckoned.kept([event]).exact
    for waiting in panel.alternates:
        for expert in waiting:
            takes = sum(
                likely(panel, chances, absent)
                for absent in absences(panel)
                if expert in panel.after(absent).members
            )
            assert reckoned.called(expert) == pytest.approx(takes, abs=1e-9)
            without = Turnout(panel, chances).kept(events_of(panel), [expert]).value
            assert without == pytest.approx(
                sum(
                    likely(panel, np.where(np.arange(len(chances)) == expert, 1.0, chances), absent)
                    for absent in absences(panel)
                    if on_the_day(problem, answer, [problem.experts[e] for e in absent]).holds
                ),
                abs=1e-9,
            )


def enough(panel: Panel, meeting: Panel, least: Fraction) -> bool:
    """The quorum said plainly: of the seats of the panel, or of each group where the quorum rule says so."""
    problem = panel.problem
    rule_ = next((r for r in problem.rules if r.rule == "quorum"), None)
    scopes: list[Any] = [None]
    if rule_ is not None and rule_.of == "group":  # type: ignore[attr-defined]
        scopes = list(range(len(problem.groups)))
    for scope in scopes:
        named = len(panel.members) if scope is None else len(panel.by_group[scope])
        there = set(meeting.members) if scope is None else set(meeting.by_group[scope])
        away = [
            recused
            for c, recused in enumerate(problem.recused)
            if rule_ is not None and (scope is None or int(problem.cases.group[c]) == scope)
        ]
        if any(len(there - recused) < seats_for(least, named) for recused in [frozenset(), *away]):
            return False
    return True


@QUICK
@given(made=assembled())
def test_no_smaller_absence_breaks_anything(made: tuple[Problem, Answer, Panel]) -> None:
    panel = made[2]
    if not panel.members:
        return
    reckoned = Turnout(panel, np.full(len(panel.problem.experts), 0.1))
    for event in [*events_of(panel), attendance(panel, Fraction(2, 3))]:
        sizes = [len(absent) for absent in absences(panel) if event.broken(panel.after(absent))]
        found = reckoned.fewest(event)
        assert found.proven
        assert (None if found.absent is None else len(found.absent)) == min(sizes, default=None)
        if found.absent is not None:
            assert event.broken(panel.after(found.absent))


@QUICK
@given(made=assembled())
def test_what_is_drawn_in_part_covers_what_is_exact(made: tuple[Problem, Answer, Panel]) -> None:
    panel = made[2]
    if not panel.members:
        return
    chances = np.linspace(0.05, 0.3, len(panel.problem.experts))
    events = events_of(panel)
    exact = Turnout(panel, chances).kept(events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turnout, "MOST_STATES", 1)
        patch.setattr(turnout, "MOST_SETS", 1 + len(panel.everybody))
        drawn = Turnout(panel, chances, samples=4000, seed=3).kept(events)
    assert drawn.low - 0.02 <= exact.value <= drawn.high + 0.02
    assert drawn.high - drawn.low < 0.05


@QUICK
@given(made=assembled())
def test_one_pass_tells_what_everybody_is_worth(made: tuple[Problem, Answer, Panel]) -> None:
    panel = made[2]
    people = [e for waiting in panel.alternates for e in waiting]
    if not panel.members or not people:
        return
    chances = np.linspace(0.2, 0.4, len(panel.problem.experts))
    events = events_of(panel)
    exact = Turnout(panel, chances).without(events, people)
    for count, wide in ((2 ** len(panel.everybody), 1e-9), (1 + len(panel.everybody), 0.1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(turnout, "MOST_STATES", 1)
            patch.setattr(turnout, "MOST_SETS", count)
            passed = Turnout(panel, chances, samples=3000, seed=3).without(events, people)
        for expert in people:
            assert exact[expert].exact
            assert passed[expert].low - wide <= exact[expert].value <= passed[expert].high + wide


def test_poisson_binomial_of_equal_chances_is_binomial() -> None:
    assert binomials([0.5] * 4) == pytest.approx([1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16])
    assert binomials([]) == pytest.approx([1.0])


def test_intervals_of_proportions_are_those_of_the_tables() -> None:
    """Clopper and Pearson: 5 of 10 gives 0.1871 to 0.8129, 0 of 10 up to 0.3085."""
    assert proportion(5, 10) == pytest.approx((0.18709, 0.81291), abs=1e-4)
    assert proportion(0, 10) == pytest.approx((0.0, 0.30850), abs=1e-4)
    assert proportion(10, 10) == pytest.approx((0.69150, 1.0), abs=1e-4)
