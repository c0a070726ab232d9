"""Least change, against exhaustive enumeration: the goal, the replacement, its substitutes, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refused import refused
from tiny_problems import every_panel, goal, lawful, locked, problems, rule

from solver.assemble import assemble
from solver.check import check, panel_of
from solver.document import check_problem, from_plain, problem_sha256, to_plain
from solver.events import VACANT, Decision, Events, LateConflict, NewCase, changed
from solver.goals.keep import CALLED, COMES, GOES, MOVES, PASSED, REORDERED, WAITS, WAITS_FIRST, Keep
from solver.model import layout
from solver.panel import Panel
from solver.problem import Limits, Problem
from solver.replace import Replaced, replace_members

MODEST = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
RULES = (rule("apart"), rule("alternates", no_shows=False), rule("case_peers", least=1, soft=1))
GOALS = (goal("peer_match", level=2), goal("tie_break", level=3))
TODAY = date(2026, 4, 1)


def out(expert: str, kind: Any = "out", **more: Any) -> Decision:
    return Decision(kind=kind, expert=expert, by="office", on=TODAY, why="ill", **more)


def price(panel: Panel, problem: Problem) -> tuple[int, ...]:
    """What a panel costs at each level of a problem, from plain values."""
    found: dict[int, int] = {}
    for r in problem.rules:
        if r.soft is not None:
            short = sum(max(0, -m.margin) for m in r.measures(panel))
            found[r.soft] = found.get(r.soft, 0) + r.weight * short
    for g in problem.goals:
        found[g.level] = found.get(g.level, 0) + g.weight * g.value(panel)
    return tuple(cost for _, cost in sorted(found.items()))


def best(problem: Problem, barred: Any = lambda panel: False) -> tuple[int, ...] | None:
    """The least cost of all lawful panels that are not barred."""
    return min(
        (price(panel, problem) for panel in every_panel(problem) if lawful(panel) and not barred(panel)),
        default=None,
    )


@pytest.mark.parametrize("roles", [False, True])
def test_the_cost_of_change_is_linear_and_says_what_the_plain_count_says(roles: bool) -> None:
    """Every tiny panel kept, against every other: the expression over the columns gives the count of the changes."""
    own = (rule("roles", deputies_low=0, deputies_high=1),) if roles else ()

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def compare(data: st.DataObject) -> None:
        problem = data.draw(problems(experts=(4, 6), alternates=True, rules=own))
        seats = layout(problem, np.ones((len(problem.experts), len(problem.groups)), dtype=bool))
        panels = list(every_panel(problem))
        if not panels:
            return
        reference = data.draw(st.sampled_from(panels))
        keep = Keep.of(reference)
        assert keep.panel(problem) == reference
        cost = keep.cost(seats)
        for panel in panels[:: max(1, len(panels) // 200)]:
            assert cost.at(seats.encode(panel)) == keep.value(panel)
        assert keep.value(reference) == 0

    compare()


def test_the_weights_prefer_calling_the_first_alternate() -> None:
    """To call the first alternate and find a new one is less change than to seat somebody from outside, and that less
    than to leave the seat empty."""
    assert CALLED + REORDERED + WAITS < CALLED + WAITS_FIRST < PASSED + WAITS < COMES < VACANT
    assert MOVES < GOES + COMES


@MODEST
@given(st.data())
def test_no_lawful_panel_changes_less(data: st.DataObject) -> None:
    """Somebody is absent, a conflict and cases come and go: the answer is the least of all lawful panels, level by
    level, without whom is out; what is said to change adds up to it."""
    problem = data.draw(problems(experts=(5, 7), alternates=True, rules=RULES, goals=GOALS))
    answer, _ = assemble(problem)
    if not answer.members:
        return
    seated = [m.expert for m in answer.members]
    absent = data.draw(st.sets(st.sampled_from(problem.experts), max_size=2))
    events = Events(
        decisions=tuple(out(e) for e in sorted(absent)),
        conflicts=(LateConflict(seated[0], seated[-1]),) if seated[0] != seated[-1] else (),
        withdrawn=problem.cases.id[:1],
        added=(NewCase("K9", "A1", "G0"),),
    )
    done = replace_members(problem, answer, events, substitutes=0)
    least = best(done.problem)
    if least is None:
        assert done.document.answer.status == "infeasible"
        assert done.document.answer.why_not
        return
    found = done.document.answer
    assert found.status == "optimal"
    assert price(panel_of(done.problem, found), done.problem) == least
    assert done.document.least is not None
    assert (done.document.least.value, done.document.least.proven) == (least[0], True)
    assert sum(c.cost for c in [*done.document.changes, *done.document.sizes]) == least[0]
    assert not absent & {m.expert for m in [*found.members, *found.alternates]}
    assert [len(a) for a in panel_of(done.problem, found).alternates] == [
        g.alternates for g in problem.groups
    ]
    assert not [f for f in check(done.problem, found) if f.hard]


@MODEST
@given(problems(experts=(4, 6), alternates=True, rules=RULES, goals=GOALS))
def test_when_nothing_happened_nothing_changes(problem: Problem) -> None:
    """Even where a better panel could be made by now."""
    answer, _ = assemble(problem)
    if not answer.members:
        return
    worse = replace(problem, goals=(goal("prefer", fact="age", best=75, worst=30),))
    done = replace_members(worse, answer, Events(), substitutes=0)
    assert done.document.changes == []
    assert done.document.least is not None
    assert done.document.least.value == 0


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(experts=(5, 6), alternates=True, rules=RULES, goals=GOALS), st.integers(0, 3))
def test_substitutes_are_ranked_exactly(problem: Problem, which: int) -> None:
    """Rank by rank, the panel is the best of all lawful ones in which nobody ranked before takes the place."""
    answer, _ = assemble(problem)
    if not answer.members:
        return
    absent = answer.members[which % len(answer.members)].expert
    done = replace_members(problem, answer, Events((out(absent),)), substitutes=4)
    was = panel_of(problem, answer)
    for place in done.document.seats:
        over: set[str] = set()
        costs = []
        for substitute in place.substitutes:
            assert substitute.proven
            costs.append(tuple(level.value for level in substitute.goals))
            assert costs[-1] == best(done.problem, lambda p: bool(over & holders(p, place.waits)))  # noqa: B023
            assert sum(c.cost for c in [*substitute.changes, *substitute.sizes]) == costs[-1][0]
            if substitute.expert is not None:
                assert substitute.expert not in over
                assert substitute.expert not in holders(was, place.waits)
                over.add(substitute.expert)
        assert costs == sorted(costs)
        if place.ended == "nobody" and place.substitutes[-1].expert is not None:
            assert best(done.problem, lambda p: bool(over & holders(p, place.waits))) is None  # noqa: B023
        assert place.ended in ("enough", "nobody")


def holders(panel: Panel, waiting: bool) -> set[str]:
    people = panel.everybody if waiting else panel.members
    return {panel.problem.experts[e] for e in people}


def test_the_replaced_problem_is_a_file_of_its_own(complete: Problem) -> None:
    """It is read back as it was written, its hash is another, and the answer is that of the file."""
    done = absent_member(complete)
    again = from_plain(to_plain(done.problem))
    assert problem_sha256(again) == done.document.answer.problem.sha256 != done.document.replaces
    assert [g.id for g in again.goals] == ["keep", "peer_match", "prefer", "tie_break"]
    assert [g.level for g in again.goals] == [1, 3, 4, 5]
    assert next(r.soft for r in again.rules if r.rule == "case_peers") == 2
    assert any(x.why == "2026-04-01 ill" and x.by == "office" for x in again.exclusions)


def test_the_absent_are_replaced_and_the_rest_stay(complete: Problem) -> None:
    """On the problem with every rule: one goes, the first alternate of the group takes the seat, somebody new waits."""
    done = absent_member(complete)
    kinds = [change.says.code for change in done.document.changes]
    assert kinds[0] == "replace.goes"
    assert done.document.least is not None
    assert done.document.least.value < GOES + COMES
    assert {lock.expert for lock in complete.locks} <= set(
        panel_of(done.problem, done.document.answer).members
    )


def absent_member(problem: Problem) -> Replaced:
    answer, _ = assemble(problem)
    plain = [m.expert for m in answer.members if m.role == "member" and m.expert != "P04"]
    return replace_members(problem, answer, Events((out(plain[0]),)), substitutes=0)


def test_a_weighted_problem_keeps_first_and_adds_the_rest(complete: Problem) -> None:
    """Everything else stands together at level 2, so that it is added up as before."""
    weighted = replace(complete, weighted=True)
    done = absent_member(weighted)
    assert {g.level for g in done.problem.goals if g.id != "keep"} == {2}
    assert not done.problem.weighted
    assert [g.level for g in done.document.answer.goals] == [1, 2]


def test_a_replacement_may_be_replaced(complete: Problem) -> None:
    """The second time the goal keeps the second panel, and who was out stays out."""
    first = absent_member(complete)
    answer = first.document.answer
    member = next(m.expert for m in answer.members if m.role == "member" and m.expert != "P04")
    second = replace_members(first.problem, answer, Events((out(member),)), substitutes=0)
    assert [g.id for g in second.problem.goals].count("keep") == 1
    assert len(second.problem.exclusions) == len(complete.exclusions) + 2
    assert second.document.changes


def test_a_chosen_substitute_is_seated(complete: Problem) -> None:
    """A decision that somebody must sit takes the office's choice up."""
    answer, _ = assemble(complete)
    absent = next(m for m in answer.members if m.role == "member" and m.expert != "P04")
    found = replace_members(complete, answer, Events((out(absent.expert),)), substitutes=1)
    second = found.document.seats[0].substitutes[1]
    assert second.expert is not None
    taken = Events((out(absent.expert), out(second.expert, "in", group=found.document.seats[0].group)))
    done = replace_members(complete, answer, taken, substitutes=0)
    assert second.expert in {m.expert for m in done.document.answer.members}
    assert [g.value for g in done.document.answer.goals] == [g.value for g in second.goals]


def test_somebody_who_must_sit_is_out_only_when_that_decision_is_taken_back(complete: Problem) -> None:
    """The fault names the decision; `free` lifts it."""
    answer, _ = assemble(complete)
    with refused("replace.locked", by="me", why="test"):
        replace_members(complete, answer, Events((out("P04"),)), substitutes=0)
    done = replace_members(complete, answer, Events((out("P04", "free"), out("P04"))), substitutes=0)
    assert "P04" not in {m.expert for m in done.document.answer.members}


@pytest.mark.parametrize(
    ("events", "code"),
    [
        (Events((out("P99"),)), "replace.expert_unknown"),
        (Events((out("P02", "in"),)), "replace.excluded"),
        (Events((out("P05", "in", group="G9"),)), "replace.group_unknown"),
        (Events(withdrawn=("K99",)), "replace.case_unknown"),
        (Events(added=(NewCase("K99", "Z1"),)), "replace.specialty_unknown"),
        (Events(added=(NewCase("K00", "A1"),)), "replace.case_twice"),
        (Events(added=(NewCase("K99", "A1", "G9"),)), "replace.group_unknown"),
        (Events(conflicts=(LateConflict("P05", "X"),)), "replace.party_unknown"),
        (Events(conflicts=(LateConflict("P99", "K00"),)), "replace.expert_unknown"),
    ],
)
def test_events_that_make_no_sense_are_refused(complete: Problem, events: Events, code: str) -> None:
    """Before any work is done."""
    with refused(code):
        changed(complete, Panel(complete, {}), events)


def test_a_conflict_that_no_rule_acts_on_is_refused(complete: Problem) -> None:
    """It would be ignored in silence."""
    bare = replace(complete, rules=tuple(r for r in complete.rules if r.rule not in ("apart", "barred")))
    for conflict in (LateConflict("P05", "P06"), LateConflict("P05", "K00", "group")):
        with refused("replace.conflict_idle"):
            changed(bare, Panel(bare, {}), Events(conflicts=(conflict,)))
    changed(bare, Panel(bare, {}), Events(conflicts=(LateConflict("P05", "K00"),)))


def test_a_late_conflict_bars_from_the_group_or_recuses(complete: Problem) -> None:
    """With effect `group` the member leaves the group; as a pair the case is judged without them."""
    answer, _ = assemble(complete)
    member = next(m for m in answer.members if m.role == "member" and m.expert != "P04")
    case = next(c.case for c in answer.cases if c.group == member.group)
    barred = replace_members(
        complete, answer, Events(conflicts=(LateConflict(member.expert, case, "group"),)), substitutes=0
    )
    assert (member.expert, member.group) not in {(m.expert, m.group) for m in barred.document.answer.members}
    recused = replace_members(
        complete, answer, Events(conflicts=(LateConflict(member.expert, case),)), substitutes=0
    )
    now = next(c for c in recused.document.answer.cases if c.case == case)
    assert now.recused.get(member.expert) == ["declared"] or member.expert not in {
        m.expert for m in recused.document.answer.members
    }


def test_nobody_can_replace_whom_all_rules_need() -> None:
    """Three experts, three places: without one of them there is no panel, and what cannot hold together is said."""

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(problems(experts=(3, 3), goals=GOALS))
    def ask(problem: Problem) -> None:
        answer, _ = assemble(problem)
        if len(answer.members) < 3:
            return
        done = replace_members(problem, answer, Events((out("P0"),)), substitutes=2)
        assert done.document.answer.status == "infeasible"
        assert done.document.answer.why_not
        assert (done.document.least, done.document.changes, done.document.seats) == (None, [], [])

    ask()


def test_without_time_nothing_is_claimed(complete: Problem) -> None:
    """Neither a panel nor substitutes."""
    answer, _ = assemble(complete)
    done = replace_members(complete, answer, Events((out("P05"),)), seconds=1e-9)
    assert done.document.answer.stopped_by == "time"
    assert done.document.answer.status in ("unknown", "feasible")
    assert all(place.ended == "time" for place in done.document.seats)


def test_stopped_while_looking_for_substitutes_the_replacement_stands(complete: Problem) -> None:
    """Cancelled at the first look for substitutes: the answer is kept, and the list says why it is short."""
    answer, _ = assemble(complete)
    plain = next(m.expert for m in answer.members if m.role == "member" and m.expert != "P04")
    stop: list[bool] = []
    done = replace_members(
        complete,
        answer,
        Events((out(plain),)),
        report=lambda event: stop.append(True) if event.phase == "substitutes" else None,
        cancelled=lambda: bool(stop),
    )
    assert done.document.answer.status == "optimal"
    assert done.document.seats
    assert all((len(p.substitutes), p.ended) == (1, "cancelled") for p in done.document.seats)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"members": {"P99": "G0"}}, "panel.expert_unknown"),
        ({"members": {"P01": "G9"}}, "panel.group_unknown"),
        ({"members": {"P01": "G0"}, "alternates": {"G1": ["P01"]}}, "panel.seated_twice"),
        ({"members": {"P01": "G0"}, "chair": "P02"}, "keep.role_unseated"),
    ],
)
def test_a_kept_panel_must_fit_the_problem(complete: Problem, spoil: dict[str, Any], code: str) -> None:
    """The goal is data that anybody may write."""
    with refused(code):
        check_problem(replace(complete, goals=(goal("keep", **spoil),)))


def test_locks_hold_through_a_replacement() -> None:
    """Whoever is locked in sits afterwards too."""

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(problems(experts=(5, 6), alternates=True, rules=RULES, goals=GOALS))
    def ask(problem: Problem) -> None:
        fixed = locked(problem, 0, 1)
        answer, _ = assemble(fixed)
        others = [m.expert for m in answer.members if m.expert != "P0"]
        if not others:
            return
        done = replace_members(fixed, answer, Events((out(others[0]),)), substitutes=0)
        if done.document.answer.members:
            assert "P0" in {m.expert for m in done.document.answer.members}

    ask()


def test_the_limits_of_the_problem_are_those_of_the_replacement(complete: Problem) -> None:
    """Unless other seconds are given."""
    answer, _ = assemble(complete)
    asked = replace(complete, limits=Limits(seconds=33.0))
    assert replace_members(asked, answer, Events(), substitutes=0).problem.limits.seconds == 33.0
