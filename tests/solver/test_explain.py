"""What an explanation claims, against exhaustive enumeration: losses, substitutes and prices exactly, intervals rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
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
from hypothesis import given
from hypothesis import strategies as st
from tiny_problems import every_panel, lawful, problems, rule

from solver.answer import Answer
from solver.assemble import assemble
from solver.check import judge, panel_of
from solver.errors import Fault
from solver.explain import explain
from solver.explanation.document import Change, Explanation
from solver.explanation.questions import asking
from solver.explanation.standing import costs_of, rungs
from solver.moves import Stand, stands_in
from solver.panel import Panel
from solver.problem import Exclusion, Problem
from solver.progress import Progress
from solver.search import search


def each_person(
    problem: Problem, answer: Answer, panel: Panel, *, exact: bool
) -> Iterable[tuple[Change, Any]]:
    """What is said of everybody past the gates, and what is so."""
    every = [(p, costs(p)) for p in every_panel(problem) if lawful(p)]
    now = costs(panel)

    def truth(fits: Callable[[Panel], bool]) -> tuple[int, ...] | None:
        other = min((cost for p, cost in every if fits(p)), default=None)
        return None if other is None else difference(problem, other, now)

    said = explain(problem, answer, experts=problem.experts, exact=exact)
    assert len(said.members) + len(said.outsiders) == len(problem.experts)
    for member in said.members:
        e = problem.experts.index(member.expert)
        yield member.without, truth(lambda p, e=e: e not in p.everybody)
    for outsider in said.outsiders:
        e = problem.experts.index(outsider.expert)
        if outsider.seated is None:
            assert outsider.verdict == "barred"
            assert truth(lambda p, e=e: e in p.members) is None
        else:
            yield outsider.seated, truth(lambda p, e=e: e in p.members)


@MODEST
@given(problems(experts=(4, 6), rules=STRICT, goals=GOALS))
def test_losses_and_substitutes_are_exact(problem: Problem) -> None:
    for change, truth in each_person(problem, *solved(problem), exact=True):
        says_exactly(change, truth)


@MODEST
@given(
    problems(
        experts=(5, 6), alternates=True, rules=(*RULES, rule("alternates", no_shows=False)), goals=GOALS
    ),
    st.booleans(),
)
def test_losses_with_alternates_are_exact(problem: Problem, weighted: bool) -> None:
    problem = replace(problem, weighted=weighted)
    for change, truth in each_person(problem, *solved(problem), exact=True):
        says_exactly(change, truth)


@MODEST
@given(
    problems(
        experts=(4, 6), alternates=True, rules=(*RULES, rule("alternates", no_shows=False)), goals=GOALS
    ),
    st.booleans(),
)
def test_quick_intervals_hold_the_truth(problem: Problem, weighted: bool) -> None:
    problem = replace(problem, weighted=weighted)
    for change, truth in each_person(problem, *solved(problem), exact=False):
        holds(change, truth)


@MODEST
@given(
    problems(
        experts=(4, 5), ranges=True, rules=(*RULES, rule("panel_size", low=2, high=5, odd=True)), goals=GOALS
    )
)
def test_quick_intervals_hold_the_truth_where_sizes_vary(problem: Problem) -> None:
    for change, truth in each_person(problem, *solved(problem), exact=False):
        holds(change, truth)


@MODEST
@given(
    problems(
        experts=(5, 7),
        alternates=True,
        rules=(*RULES, rule("alternates"), rule("roles", deputies_low=0, deputies_high=1)),
        goals=GOALS,
    )
)
def test_quick_and_exact_agree_where_no_shows_are_survived(problem: Problem) -> None:
    """The rows forbid more there than the sentence does, so the search is the measure of the interval."""
    answer, _ = solved(problem)
    quick, exact = (explain(problem, answer, experts=problem.experts, exact=e) for e in (False, True))
    for one, other in zip(
        [*(m.without for m in quick.members), *(o.seated for o in quick.outsiders)],
        [*(m.without for m in exact.members), *(o.seated for o in exact.outsiders)],
        strict=True,
    ):
        if one is not None and other is not None:
            assert other.proven
            holds(one, None if other.outcome == "impossible" else tuple(v.most or 0 for v in other.levels))


@MODEST
@given(problems(experts=(4, 6), rules=RULES, goals=GOALS), st.integers(0, 30))
def test_a_panel_that_is_not_the_best_is_explained_for_what_it_is(problem: Problem, pick: int) -> None:
    """Another lawful panel in the file: what seats others may well be better, and nothing claimed is wrong."""
    answer, _ = solved(problem)
    every = [p for p in every_panel(problem) if lawful(p)]
    panel = every[pick % len(every)]
    index = problem.experts
    members = [
        answer.members[0].model_copy(
            update={"expert": index[e], "group": problem.groups[g].id, "role": "member", "reasons": []}
        )
        for e, g in panel.members.items()
    ]
    other = answer.model_copy(update={"members": members})
    for change, truth in each_person(problem, other, panel, exact=False):
        holds(change, truth)
    for change, truth in each_person(problem, other, panel, exact=True):
        says_exactly(change, truth)


@MODEST
@given(problems(experts=(4, 6), rules=RULES, goals=GOALS), st.integers(1, 40))
def test_tolerances_compare_optima_level_by_level(problem: Problem, tolerance: int) -> None:
    """Within a tolerance panels count as equal: what is compared is the best that each level could be."""
    goals = (problem.goals[0].model_copy(update={"tolerance": tolerance}), *problem.goals[1:])
    problem = replace(problem, goals=goals)

    def stages(panels: list[tuple[int, ...]]) -> tuple[int, ...] | None:
        found = []
        for i, rung in enumerate(rungs(problem)):
            if not panels:
                return None
            found.append(min(p[i] for p in panels))
            panels = [p for p in panels if p[i] <= found[-1] + rung.tolerance]
        return tuple(found)

    answer, _ = solved(problem)
    every = [p for p in every_panel(problem) if lawful(p)]
    now = stages([costs(p) for p in every])
    assert now is not None
    for outsider in explain(problem, answer, experts=problem.experts, exact=True).outsiders:
        e = problem.experts.index(outsider.expert)
        other = stages([costs(p) for p in every if e in p.members])
        assert outsider.seated is not None
        says_exactly(outsider.seated, other and difference(problem, other, now))


@MODEST
@given(problems(experts=(4, 6), rules=(*STRICT, rule("peer_grade", grade="broad")), goals=GOALS))
def test_every_gate_that_bars_is_named_with_what_it_asks(problem: Problem) -> None:
    """Each gate by itself, against its findings on panels of one; and the one facts gate with its numbers."""
    answer, _ = solved(problem)
    gates = [r for r in problem.rules if r.rule in ("gate", "barred", "peer_grade")]
    for outsider in explain(problem, answer, experts=problem.experts).outsiders:
        e = problem.experts.index(outsider.expert)
        closed = {
            r.id: [g.id for i, g in enumerate(problem.groups) if any(r.findings(Panel(problem, {e: i})))]
            for r in gates
        }
        assert {bar.id: bar.groups for bar in outsider.gates} == {k: v for k, v in closed.items() if v}
        open_ = {g.id for g in problem.groups} - {g for groups in closed.values() for g in groups}
        assert set(outsider.open_groups) == open_
        assert (outsider.verdict == "barred") == (not open_)
        for bar in outsider.gates:
            if bar.id == "age":
                age = problem.facts["age"].show(e)
                assert bar.says.params.get("value") == age
                assert bar.says.params["than"] == 70
            if bar.id == "barred":
                assert {c.effect for c in bar.conflicts} <= {"panel", "group"}
                assert bar.conflicts
                assert all(c.why == "r" and c.case for c in bar.conflicts)


@MODEST
@given(problems(experts=(5, 6), rules=(rule("apart"), rule("cap", fact="employer", most=1)), goals=GOALS))
def test_whoever_cannot_be_seated_is_told_the_rules(problem: Problem) -> None:
    """With the rules named nobody can seat them; without any one of them somebody can."""
    answer, _ = solved(problem)
    for outsider in explain(problem, answer, experts=problem.experts, exact=True).outsiders:
        if outsider.verdict != "impossible":
            continue
        saying = outsider.clash[0]
        assert saying.code == "why_not.together"
        named = set(saying.params["rules"])
        e = problem.experts.index(outsider.expert)
        sizes = {r.id for r in problem.rules if r.rule == "group_size"}

        def possible(kept: set[str], e: int = e) -> bool:
            hard = [r for r in problem.rules if r.id in kept]
            return any(
                e in p.members and not any(True for r in hard for _ in r.findings(p))
                for p in every_panel(problem)
            )

        assert not possible(named | sizes)
        assert all(possible((named | sizes) - {r}) for r in named - sizes)


def test_a_lock_makes_irreplaceable_and_an_exclusion_is_told(complete: Problem) -> None:
    out = next(e for e in assemble(complete)[0].members if e.expert != "P04").expert
    decided = Exclusion(complete.experts.index(out), "the office", "asked to be spared")
    problem = replace(complete, exclusions=(*complete.exclusions, decided))
    answer, _ = assemble(problem)
    said = explain(problem, answer, experts=["P04", out])
    (member,), (outsider,) = said.members, said.outsiders
    assert (member.without.outcome, member.without.proven) == ("impossible", True)
    assert "reason.locked" in {reason.code for reason in member.serves}
    assert outsider.verdict == "excluded"
    assert outsider.excluded is not None
    assert (outsider.excluded.by, outsider.excluded.why) == ("the office", "asked to be spared")
    assert outsider.seated is None


def test_swaps_named_for_a_panel_with_every_feature_are_lawful_and_cost_what_is_said(
    complete: Problem,
) -> None:
    """No-shows, roles, soft rules: the panel that the moves lead to passes the checker, at the cost named."""
    answer, _ = assemble(complete)
    said = explain(complete, answer)
    assert said.model_validate_json(said.model_dump_json()) == said
    assert said.lawful
    assert {m.expert for m in said.members} == set(stands_in(answer))
    now = costs_of(panel_of(complete, answer))
    found = [m.without for m in said.members if m.without.outcome == "found"]
    assert found
    for change in found:
        panel = moved(complete, answer, change)
        assert not any(finding.hard for finding in judge(panel)[1])
        assert vector(change) == difference(complete, costs_of(panel), now)


def moved(problem: Problem, answer: Answer, change: Change) -> Panel:
    """The panel that a change leads to."""
    people = change.people
    assert people is not None
    at = stands_in(answer)
    for left in people.left:
        assert at.pop(left.expert) == left.at
    for move in people.moved:
        assert at[move.expert] == move.was
        at[move.expert] = move.now
    at.update({came.expert: came.at for came in people.came})
    return seated(problem, at)


def seated(problem: Problem, at: dict[str, Stand]) -> Panel:
    groups = [g.id for g in problem.groups]
    index = problem.experts.index
    waiting = [
        tuple(
            index(e)
            for _, e in sorted(
                (s.order or 0, e) for e, s in at.items() if s.role == "alternate" and s.group == g
            )
        )
        for g in groups
    ]
    return Panel(
        problem,
        {index(e): groups.index(s.group) for e, s in at.items() if s.role != "alternate"},
        next((index(e) for e, s in at.items() if s.role == "chair"), None),
        tuple(index(e) for e, s in at.items() if s.role == "deputy"),
        tuple(waiting),
    )


def test_of_an_unlawful_panel_only_what_holds_is_said(complete: Problem) -> None:
    """Somebody barred sits: no swap is offered, prices and the checker still speak."""
    answer, _ = assemble(complete)
    barred = next(
        e for e in complete.experts if not complete.facts["available"].show(complete.experts.index(e))
    )
    members = [m if i else m.model_copy(update={"expert": barred}) for i, m in enumerate(answer.members)]
    spoiled = answer.model_copy(update={"members": members})
    said = explain(complete, spoiled)
    assert not said.lawful
    assert {m.without.outcome for m in said.members} <= {"open", "impossible"}


def test_a_limit_leaves_questions_open_and_says_so(complete: Problem) -> None:
    answer, _ = assemble(complete)
    late = explain(complete, answer, exact=True, seconds=0.0)
    assert late.stopped_by == "time"
    assert {m.without.outcome for m in late.members} == {"open"}
    stopped = explain(complete, answer, cancelled=lambda: True)
    assert stopped.stopped_by == "cancelled"


def test_what_a_search_leaves_unproven_is_not_claimed(
    complete: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that was stopped at its second level: bounds end there, and nothing after it is proven."""

    def stopped(problem: Problem, **how: Any) -> Any:
        outcome = search(problem, **how)
        first, second, *others = outcome.goals
        open_ = second.model_copy(update={"bound": second.value - 5, "proven": False})
        return replace(outcome, status="feasible", stopped_by="time", goals=(first, open_, *others))

    answer, _ = assemble(complete)
    monkeypatch.setattr("solver.explanation.changes.search", stopped)
    someone = next(m.expert for m in answer.members if m.expert != "P04")
    unclaimed = answer.model_copy(
        update={
            "goals": [g.model_copy(update={"bound": g.bound - 100, "proven": False}) for g in answer.goals]
        }
    )
    change = explain(complete, unclaimed, experts=[someone], exact=True).members[0].without
    assert change.stopped_by == "time"
    second = change.levels[1]
    assert second.most is not None
    assert second.least is not None
    assert second.least >= second.most - 5
    if second.least < second.most:
        assert not change.proven
        assert [level.least for level in change.levels[2:]] == [None] * len(change.levels[2:])


def test_progress_counts_the_questions(complete: Problem) -> None:
    answer, _ = assemble(complete)
    heard: list[Progress] = []
    explain(complete, answer, experts=["P04", "P02"], rules=["apart"], report=heard.append)
    assert [(e.done, e.total) for e in heard if e.phase == "explain"] == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_what_cannot_be_explained_is_refused(complete: Problem) -> None:
    answer, _ = assemble(complete)

    def code(work: Callable[[], Explanation]) -> tuple[str, dict[str, Any]]:
        with pytest.raises(Fault) as fault:
            work()
        return fault.value.code, fault.value.params

    unknown = code(lambda: explain(complete, answer, experts=["P044"]))
    assert unknown[0] == "explain.expert_unknown"
    assert "P04" in unknown[1]["near"]
    assert code(lambda: explain(complete, answer, rules=["aparte"]))[0] == "explain.rule_unknown"
    assert code(lambda: explain(replace(complete, seed=12), answer))[0] == "explain.other_problem"
    nobody = answer.model_copy(update={"members": []})
    assert code(lambda: explain(complete, nobody))[0] == "panel.empty"


def test_a_question_about_a_person_binds_even_where_locks_are_soft(complete: Problem) -> None:
    rules = tuple(r.model_copy(update={"soft": 9}) if r.rule == "locks" else r for r in complete.rules)
    soft = replace(complete, rules=rules, locks=(), exclusions=())
    answer, _ = assemble(soft)
    member = soft.experts.index(answer.members[0].expert)
    spared = replace(soft, exclusions=(Exclusion(member, "me", "test"),))
    answer, _ = assemble(spared)
    if answer.members[0].expert != soft.experts[member]:
        said = explain(spared, answer, experts=[soft.experts[member]], exact=True, seconds=600)
        assert said.outsiders[0].verdict == "costs"
    assert asking(spared, member, sits=True).rules[-1].soft is None
