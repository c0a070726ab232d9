"""What a `panel/1` document says of its panel, recomputed: every claim that is not so is a finding. No engine.

A bound cannot be recomputed without a search; that it is not above the value, and that a level called proven has met
it, can. Versions and the problem's hash are left to whoever has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from solver.answer import Answer, FindingResult, GateResult, ProblemRef, RuleResult, Saying
from solver.model import funnel
from solver.panel import Panel
from solver.problem import Problem
from solver.reasons import alternates_of, cases_of, members_of

DOCUMENT = "document"
"""What a finding about the document names in the place of a rule."""


def level_costs(panel: Panel) -> dict[int, int]:
    """What a panel costs at each level of the goal order, from plain sets; all of it at level 0 in a weighted problem."""
    problem = panel.problem
    costs: dict[int, int] = {}
    for rule in problem.rules:
        if rule.soft is not None:
            costs[rule.soft] = costs.get(rule.soft, 0) + rule.weight * rule.shortfall(panel)
    for goal in problem.goals:
        costs[goal.level] = costs.get(goal.level, 0) + goal.weight * goal.value(panel)
    return {0: sum(costs.values())} if problem.weighted and costs else dict(sorted(costs.items()))


def widest_gap(pairs: Sequence[tuple[int, int]]) -> float:
    """The widest relative gap of (value, bound) pairs: (value - bound) / max(1, |value|)."""
    return round(max(((v - b) / max(1, abs(v)) for v, b in pairs), default=0.0), 6)


def wrong_claims(
    panel: Panel, answer: Answer, rules: Sequence[RuleResult], findings: Sequence[FindingResult]
) -> Iterator[FindingResult]:
    """Where an answer says what is not so of its panel, given what the checker found on the rules."""
    lawful = not any(finding.hard for finding in findings)
    yield from _problem(panel.problem, answer.problem)
    yield from _status(panel, answer, lawful)
    yield from _goals(panel, answer)
    yield from _listed("rule", [(r.id, r) for r in answer.rules], [(r.id, r) for r in rules])
    yield from _listed("finding", _numbered(answer.findings), _numbered(findings))
    members, waiting = members_of(panel), alternates_of(panel)
    yield from _listed("member", [(m.expert, m) for m in answer.members], [(m.expert, m) for m in members])
    yield from _listed(
        "alternate", [(a.expert, a) for a in answer.alternates], [(a.expert, a) for a in waiting]
    )
    yield from _listed("case", [(c.case, c) for c in answer.cases], [(c.case, c) for c in cases_of(panel)])
    yield from _listed(
        "gate", [(g.id, g) for g in answer.funnel], [(g.id, g) for g in gates_of(panel.problem)]
    )


def gates_of(problem: Problem) -> list[GateResult]:
    """How the gates narrow the pool, as an answer says it."""
    bases = {rule.id: rule.basis for rule in problem.rules}
    return [
        GateResult(id=id_, bars=bars, left=left, basis=bases[id_].text, basis_status=bases[id_].status)
        for id_, bars, left in funnel(problem).gates
    ]


def _problem(problem: Problem, said: ProblemRef) -> Iterator[FindingResult]:
    right = {
        "title": problem.title,
        "committee": problem.committee,
        "meeting": problem.meeting,
        "on": problem.on.isoformat(),
        "procedure": problem.procedure,
        "policy": problem.policy.id,
        "policy_version": problem.policy.version,
        "seed": problem.seed,
        "made": problem.made,
    }
    for field, value in right.items():
        yield from _field(field, getattr(said, field), value)


def _status(panel: Panel, answer: Answer, lawful: bool) -> Iterator[FindingResult]:
    """The status and what hangs on it."""
    problem = panel.problem
    goals = answer.goals
    if answer.status not in ("optimal", "feasible"):
        yield from _field("status", answer.status, "feasible")
    if answer.status == "optimal":
        yield from _field("stopped_by", answer.stopped_by, None)
        for goal in goals:
            if goal.bound != goal.value:
                yield _found(Saying(code="claim.optimal", params=_goal(goal.id, goal.value, goal.bound)))
    yield from _field("fileable", answer.fileable, lawful and problem.procedure == "compose")
    yield from _field("mode", answer.mode, "weighted" if problem.weighted else "lexicographic")
    last = goals[-1] if goals and problem.weighted else None
    yield from _field("objective", answer.objective, last.value if last else None)
    yield from _field("bound", answer.bound, last.bound if last else None)
    yield from _field("gap", answer.gap, widest_gap([(g.value, g.bound) for g in goals]))
    yield from _field("considered", answer.considered, len(problem.experts))
    if answer.why_not:
        yield _found(Saying(code="claim.unknown", params={"kind": "why_not", "name": answer.why_not[0].code}))


def _goals(panel: Panel, answer: Answer) -> Iterator[FindingResult]:
    """Values recomputed, bounds within reason. A level within a tolerance may name the value it had when it was settled,
    which is at most the tolerance below what the panel costs there."""
    problem = panel.problem
    costs = level_costs(panel)
    named = {goal.level for goal in answer.goals}
    parts = {level: _parts(problem, level) for level in costs}
    for goal in answer.goals:
        if goal.level not in costs or not set(filter(None, goal.id.split("+"))) <= parts[goal.level]:
            yield _found(Saying(code="claim.unknown", params={"kind": "goal", "name": goal.id}))
            continue
        cost = costs[goal.level]
        slack = max((g.tolerance for g in problem.goals if g.level == goal.level), default=0)
        if not cost - slack <= goal.value <= cost:
            yield _different("goal", goal.id, "value", goal.value, cost)
        if goal.bound > goal.value:
            params = _goal(goal.id, goal.value, goal.bound)
            yield _found(Saying(code="claim.bound_above", params=params))
        if goal.proven != (goal.bound == goal.value):
            yield _different("goal", goal.id, "proven", goal.proven, goal.bound == goal.value)
    wanted = {goal.level for goal in problem.goals} if not problem.weighted else set(costs)
    for level in sorted(costs.keys() - named):
        if costs[level] or level in wanted:
            params = {"kind": "goal", "name": "+".join(sorted(parts[level]))}
            yield _found(Saying(code="claim.missing", params=params))


def _parts(problem: Problem, level: int) -> set[str]:
    """The goals and soft rules that a level may name."""
    every = level == 0 and problem.weighted
    goals = {goal.id for goal in problem.goals if every or goal.level == level}
    return goals | {r.id for r in problem.rules if r.soft is not None and (every or r.soft == level)}


def _goal(id_: str, value: int, bound: int) -> dict[str, Any]:
    return {"goal": id_, "value": value, "bound": bound}


def _numbered(findings: Sequence[FindingResult]) -> list[tuple[str, FindingResult]]:
    """Findings by rule, those of one rule numbered in their order."""
    seen: Counter[str] = Counter()
    numbered = []
    for finding in findings:
        seen[finding.rule] += 1
        numbered.append((f"{finding.rule} {seen[finding.rule]}", finding))
    return numbered


def _listed(
    kind: str, said: Sequence[tuple[str, BaseModel]], right: Sequence[tuple[str, BaseModel]]
) -> Iterator[FindingResult]:
    """Entries that are missing, that should not be there, or that say something else."""
    stated, computed = dict(said), dict(right)
    surplus = Counter(name for name, _ in said) - Counter(name for name, _ in right)
    for name in (n for n in computed if n not in stated):
        yield _found(Saying(code="claim.missing", params={"kind": kind, "name": name}))
    for name in surplus:
        yield _found(Saying(code="claim.unknown", params={"kind": kind, "name": name}))
    for name, entry in computed.items():
        if name in stated and stated[name] != entry:
            says, should = stated[name].model_dump(mode="json"), entry.model_dump(mode="json")
            for field in should:
                if says[field] != should[field]:
                    yield _different(kind, name, field, says[field], should[field])


def _field(field: str, said: object, right: object) -> Iterator[FindingResult]:
    if said != right:
        params = {"field": field, "said": _short(said), "right": _short(right)}
        yield _found(Saying(code="claim.field", params=params))


def _different(kind: str, name: str, field: str, said: object, right: object) -> FindingResult:
    params = {"kind": kind, "name": name, "field": field, "said": _short(said), "right": _short(right)}
    people = [name] if kind in ("member", "alternate") else []
    return _found(Saying(code="claim.different", params=params), people)


def _short(value: object) -> object:
    """What fits into a sentence; None for what does not."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (int, float, str)) else None


def _found(says: Saying, experts: Sequence[str] = ()) -> FindingResult:
    return FindingResult(
        rule=DOCUMENT,
        hard=True,
        says=says,
        experts=list(experts),
        cases=[],
        group=None,
        basis="",
        basis_status="D",
    )
