"""Two panels side by side: the moves lead from one to the other, and every figure is that of the panels themselves."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from tiny_problems import every_panel, goal, lawful, problems, rule

from solver.answer import Answer
from solver.assemble import assemble, reference
from solver.check import judge
from solver.diff import PanelDiff, diff
from solver.errors import Fault
from solver.moves import moves, stands_in, stands_of
from solver.panel import Panel
from solver.problem import Exclusion, Problem
from solver.reasons import alternates_of, cases_of, members_of

MODEST = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
GOALS = (goal("peer_match", level=2, weight=3), goal("prefer", fact="age", best=30, worst=75, level=3))
RULES = (
    rule("case_peers", least=1, soft=1, weight=3),
    rule("cap", fact="employer", most=2),
    rule("alternates", no_shows=False),
)


def written(panel: Panel) -> Answer:
    """A panel as a document, without a claim on how good it is."""
    rules, findings = judge(panel)
    return Answer(
        status="feasible",
        stopped_by=None,
        fileable=True,
        problem=reference(panel.problem),
        versions={},
        mode="lexicographic",
        goals=[],
        objective=None,
        bound=None,
        gap=None,
        members=members_of(panel),
        alternates=alternates_of(panel),
        rules=rules,
        findings=findings,
        cases=cases_of(panel),
        considered=len(panel.problem.experts),
        funnel=[],
    )


@MODEST
@given(problems(experts=(4, 5), alternates=True, rules=RULES, goals=GOALS))
def test_figures_under_a_problem_are_those_of_both_panels(problem: Problem) -> None:
    """Goals by their plain values, rules by the checker, cases by their peers; for any two lawful panels."""
    panels = [p for p in every_panel(problem) if lawful(p)][::5]
    for a, b in list(combinations(panels, 2))[:10]:
        said = diff(problem, written(a), written(b))
        assert said.same_problem
        assert said.measured == said.was.problem
        plain = {g.id: (g.weight * g.value(a), g.weight * g.value(b)) for g in problem.goals} | {
            "case_peers": tuple(
                3 * sum(max(0, -m.margin) for m in problem.rules[1].measures(p)) for p in (a, b)
            )
        }
        assert {g.id: (g.was, g.now) for g in said.goals} == plain
        before, after = ({r.id: r.margin for r in judge(p)[0]} for p in (a, b))
        for change in said.rules:
            assert change.was is not None
            assert change.now is not None
            assert (change.was.margin, change.now.margin) == (before[change.id], after[change.id])
        assert {r for r in before if before[r] != after[r]} <= {change.id for change in said.rules}
        cases = {x.case: (x, y) for x, y in zip(cases_of(a), cases_of(b), strict=True)}
        assert {c.case for c in said.cases} == {
            case
            for case, (x, y) in cases.items()
            if (sorted(x.close), sorted(x.broad), x.recused, x.quorum, x.present)
            != (sorted(y.close), sorted(y.broad), y.recused, y.quorum, y.present)
        }


@MODEST
@given(problems(experts=(4, 5), alternates=True, rules=RULES))
def test_moves_lead_from_one_panel_to_the_other(problem: Problem) -> None:
    """Applied to the first they give the second; nobody is told to move who stays."""
    panels = [p for p in every_panel(problem) if lawful(p)][::7]
    for a, b in list(combinations(panels, 2))[:20]:
        was, now = stands_of(a), stands_of(b)
        assert (was, now) == (stands_in(written(a)), stands_in(written(b)))
        made = moves(was, now)
        at = {e: s for e, s in was.items() if e not in {x.expert for x in made.left}}
        assert all(at.get(move.expert) == move.was != move.now for move in made.moved)
        at |= {move.expert: move.now for move in made.moved} | {x.expert: x.at for x in made.came}
        assert at == now
        assert made.stayed == sum(1 for e, s in was.items() if now.get(e) == s)


def test_a_panel_does_not_differ_from_itself(complete: Problem) -> None:
    answer, _ = assemble(complete)
    for problem in (None, complete):
        said = diff(problem, answer, answer)
        assert said.alike
        assert said.people.stayed == len(answer.members) + len(answer.alternates)
        assert (said.problem, said.rules, said.cases) == ([], [], [])
        assert PanelDiff.model_validate_json(said.model_dump_json()) == said


def test_two_problems_of_one_meeting_are_told_apart(complete: Problem) -> None:
    """Another seed and a decision: the reference says which fields differ, and the documents speak for themselves."""
    answer, _ = assemble(complete)
    locked = {complete.experts[lock.expert] for lock in complete.locks}
    gone = next(member.expert for member in answer.members if member.expert not in locked)
    decided = Exclusion(complete.experts.index(gone), "me", "ill")
    other = replace(complete, seed=12, exclusions=(*complete.exclusions, decided))
    said = diff(None, answer, assemble(other)[0])
    assert not said.same_problem
    assert {change.field for change in said.problem} == {"sha256", "seed"}
    assert gone in {left.expert for left in said.people.left}
    assert said.measured is None
    assert not said.alike
    assert [goal.was for goal in said.goals] == [goal.value for goal in answer.goals]


def test_a_level_that_only_one_has_is_shown_on_its_side(complete: Problem) -> None:
    answer, _ = assemble(complete)
    fewer = answer.model_copy(update={"goals": answer.goals[1:], "rules": answer.rules[1:]})
    said = diff(None, answer, fewer)
    assert (said.goals[0].was, said.goals[0].now) == (answer.goals[0].value, None)
    assert [(change.id, change.now) for change in said.rules] == [(answer.rules[0].id, None)]


def test_nobody_to_compare_is_refused(complete: Problem) -> None:
    answer, _ = assemble(complete)
    nobody = answer.model_copy(update={"members": []})
    for pair in ((answer, nobody), (nobody, answer)):
        with pytest.raises(Fault) as fault:
            diff(None, *pair)
        assert fault.value.code == "panel.empty"
    stranger = answer.model_copy(
        update={"members": [answer.members[0].model_copy(update={"expert": "X"}), *answer.members[1:]]}
    )
    assert diff(None, answer, stranger).people.came[0].expert == "X"
    with pytest.raises(Fault) as fault:
        diff(complete, answer, stranger)
    assert fault.value.code == "panel.expert_unknown"
