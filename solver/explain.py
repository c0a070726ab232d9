"""Why this panel: what each person serves and what the best substitute costs, why others are not seated, and what each
rule costs. Every question is another problem (solver.explanation.questions); `Explanation` tells what is said."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from difflib import get_close_matches

from solver.answer import Answer, RuleResult, Saying, Stopped
from solver.assemble import reference
from solver.check import judge, panel_of
from solver.diagnosis.why_not import why_not
from solver.engines.race import Cancelled
from solver.errors import Fault
from solver.explanation.barred import barred_by_alone, conflicts_with, gates_against
from solver.explanation.changes import Budget, Inquiry
from solver.explanation.document import (
    Change,
    Decision,
    Explanation,
    LevelCost,
    MemberWhy,
    OutsiderWhy,
    RuleWhy,
    Verdict,
)
from solver.explanation.questions import ASKED, asking, dropping, easing
from solver.model import funnel
from solver.moves import stands_of
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.reasons import alternates_of, members_of


def explain(
    problem: Problem,
    answer: Answer,
    *,
    experts: Collection[str] | None = None,
    rules: Collection[str] | None = (),
    exact: bool = False,
    seconds: float = 60.0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Explanation:
    """Why the panel of an answer is as it is.

    `experts`: whom to explain, seated or not; None: everybody who sits or waits. `rules`: which rules to price; None:
    all. Quick unless `exact`: then each question is a search of its own, and `seconds` are shared out among them; what
    is not reached stays open and says so.

    Raises Fault: the panel is of another problem, is empty or does not fit the problem; an expert or a rule is unknown.
    """
    ends = time.monotonic() + seconds
    ref = reference(problem)
    if answer.problem.sha256 != ref.sha256:
        raise Fault("explain.other_problem", panel=answer.problem.sha256, problem=ref.sha256)
    panel = panel_of(problem, answer)
    asked = panel.everybody if experts is None else _experts(problem, experts)
    priced = [rule.id for rule in problem.rules] if rules is None else _rules(problem, rules)
    results, findings = judge(panel)
    lawful = not any(finding.hard for finding in findings)
    inquiry = Inquiry(answer, panel, Budget(ends, len(asked) + 2 * len(priced), cancelled), lawful, exact)
    there, total = set(panel.everybody), len(asked) + len(priced)
    serves = _serves(panel)
    members, outsiders, prices = [], [], []
    for done, expert in enumerate(asked):
        report(Progress("explain", done, total))
        if expert in there:
            members.append(_member(inquiry, expert, serves[problem.experts[expert]]))
        else:
            outsiders.append(_outsider(inquiry, expert))
    alone = barred_by_alone(problem, inquiry.narrowed) if priced else {}
    for done, result in enumerate((r for r in results if r.id in priced), len(asked)):
        report(Progress("explain", done, total))
        prices.append(_priced(inquiry, result, alone.get(result.id)))
    report(Progress("explain", total, total))
    return Explanation(
        problem=ref,
        mode="weighted" if problem.weighted else "lexicographic",
        exact=exact,
        lawful=lawful,
        stopped_by=next((stop for stop in _stops(members, outsiders, prices) if stop), None),
        levels=[
            LevelCost(id=rung.id, level=rung.level, unit=rung.unit, cost=cost // rung.unit)
            for rung, cost in zip(inquiry.levels, inquiry.costs, strict=True)
        ],
        members=members,
        outsiders=outsiders,
        rules=prices,
    )


def _experts(problem: Problem, named: Iterable[str]) -> list[int]:
    index = {expert: i for i, expert in enumerate(problem.experts)}
    for expert in named:
        if expert not in index:
            near = get_close_matches(expert, index, 3)
            raise Fault("explain.expert_unknown", expert=expert, near=near or None)
    return [index[expert] for expert in dict.fromkeys(named)]


def _rules(problem: Problem, named: Iterable[str]) -> list[str]:
    known = [rule.id for rule in problem.rules]
    for rule in named:
        if rule not in known:
            raise Fault("explain.rule_unknown", rule=rule, known=known)
    return [rule for rule in known if rule in set(named)]


def _serves(panel: Panel) -> dict[str, list[Saying]]:
    """What everybody in the panel serves, in the words of the answer."""
    serves = {member.expert: member.reasons for member in members_of(panel)}
    return serves | {alternate.expert: alternate.reasons for alternate in alternates_of(panel)}


def _member(inquiry: Inquiry, expert: int, serves: list[Saying]) -> MemberWhy:
    id_ = inquiry.problem.experts[expert]
    return MemberWhy(
        expert=id_, at=stands_of(inquiry.panel)[id_], serves=serves, without=inquiry.without(expert)
    )


def _outsider(inquiry: Inquiry, expert: int) -> OutsiderWhy:
    """Gates and decisions first: where they speak no search is needed."""
    problem, open_ = inquiry.problem, inquiry.narrowed.passes[expert]
    binding = any(rule.rule == "locks" and rule.soft is None for rule in problem.rules)
    decision = next((x for x in problem.exclusions if x.expert == expert), None) if binding else None
    change = None if decision or not open_.any() else inquiry.seating(expert)
    clash: list[Saying] = []
    if change is not None and change.outcome == "impossible":
        clash = _clash(asking(problem, expert, sits=True), inquiry.budget.cancelled)
    return OutsiderWhy(
        expert=problem.experts[expert],
        verdict="barred" if not open_.any() else "excluded" if change is None else _verdict(change),
        open_groups=[group.id for g, group in enumerate(problem.groups) if open_[g]],
        gates=gates_against(problem, expert),
        excluded=None if decision is None else Decision(by=decision.by, why=decision.why),
        conflicts=conflicts_with(inquiry.panel, expert),
        seated=change,
        clash=clash,
    )


def _verdict(change: Change) -> Verdict:
    if change.outcome != "found":
        return change.outcome
    first = next((level.most for level in change.levels if level.most), 0)
    return "costs" if first > 0 else "better" if first < 0 else "equal"


def _clash(problem: Problem, cancelled: Cancelled) -> list[Saying]:
    """What cannot hold together once the expert must sit; the question's own rule is left out of what is said."""

    said = []
    for saying in why_not(problem, funnel(problem), cancelled):
        if saying.params.get("rule") == ASKED:
            continue
        rules = saying.params.get("rules")
        if isinstance(rules, list):
            saying = saying.model_copy(
                update={"params": {**saying.params, "rules": [r for r in rules if r != ASKED]}}
            )
        said.append(saying)
    return said


def _priced(inquiry: Inquiry, result: RuleResult, alone: int | None) -> RuleWhy:
    problem = inquiry.problem
    rule = next(rule for rule in problem.rules if rule.id == result.id)
    dropped, eased = dropping(problem, rule), easing(problem, rule)
    return RuleWhy(
        result=result,
        bars_alone=alone,
        dropped=None if dropped is None else inquiry.under(dropped, dropped=rule),
        eased=None if eased is None else inquiry.under(eased),
    )


def _stops(
    members: list[MemberWhy], outsiders: list[OutsiderWhy], rules: list[RuleWhy]
) -> list[Stopped | None]:
    changes = [*(m.without for m in members), *(o.seated for o in outsiders)]
    changes += [change for rule in rules for change in (rule.dropped, rule.eased)]
    return [change.stopped_by for change in changes if change is not None]
