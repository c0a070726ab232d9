"""The independent checker: findings only, no engine; it works on anybody's panel, and on the document that states it."""

from __future__ import annotations

from pydantic import ValidationError

from solver.answer import Answer, FindingResult, Part, RuleResult, Saying
from solver.claims import wrong_claims
from solver.document import problem_sha256
from solver.errors import Fault, misfit
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule


class Checked(Part):
    """What the check of a panel document came to. `holds`: no hard rule is broken, the document claims nothing wrong,
    and it answers this problem (`same_problem`)."""

    holds: bool
    problem_sha256: str
    same_problem: bool
    findings: list[FindingResult]


def read_answer(text: bytes, where: str = "-") -> Answer:
    """The answer in the bytes of a `panel/1` file; raises Fault where it is not one."""
    try:
        return Answer.model_validate_json(text)
    except ValidationError as error:
        place, reason = misfit(error)
        code = "panel.not_json" if reason["code"] == "invalid.json_invalid" else "panel.schema"
        raise Fault(code, f"{where}: {place}".rstrip(": "), reason=reason) from None


def panel_of(problem: Problem, answer: Answer) -> Panel:
    """The panel an answer speaks of; its deputies in the order of the experts. Raises Fault for an expert or group the
    problem does not have, somebody seated twice, or an answer without a panel."""
    if not answer.members:
        raise Fault("panel.empty", "members")
    experts = {id_: i for i, id_ in enumerate(problem.experts)}
    groups = {group.id: g for g, group in enumerate(problem.groups)}

    def place(where: str, expert: str, group: str) -> tuple[int, int]:
        if expert not in experts:
            raise Fault("panel.expert_unknown", where, expert=expert)
        if group not in groups:
            raise Fault("panel.group_unknown", where, group=group, known=", ".join(groups))
        return experts[expert], groups[group]

    members: dict[int, int] = {}
    chair: int | None = None
    deputies: list[int] = []
    for i, seated in enumerate(answer.members):
        expert, group = place(f"members.{i}", seated.expert, seated.group)
        if expert in members:
            raise Fault("panel.seated_twice", f"members.{i}", expert=seated.expert)
        members[expert] = group
        if seated.role == "chair":
            if chair is not None:
                raise Fault("panel.two_chairs", f"members.{i}", expert=seated.expert)
            chair = expert
        elif seated.role == "deputy":
            deputies.append(expert)
    waiting: list[list[tuple[int, int]]] = [[] for _ in groups]
    for i, called in enumerate(answer.alternates):
        expert, group = place(f"alternates.{i}", called.expert, called.group)
        waiting[group].append((called.order, expert))
    alternates = tuple(tuple(e for _, e in sorted(group)) for group in waiting)
    return Panel(problem, members, chair, tuple(sorted(deputies)), alternates)


def judge(panel: Panel) -> tuple[list[RuleResult], list[FindingResult]]:
    """Every rule on this panel: its tightest measure, and every finding, in the order of the rules."""
    results, findings = [], []
    for rule in panel.problem.rules:
        measures = list(rule.measures(panel))
        results.append(_result(rule, panel, measures))
        findings += [_finding(rule, panel, measure) for measure in measures if not measure.holds]
    return results, findings


def check(problem: Problem, answer: Answer) -> list[FindingResult]:
    """What is wrong with the panel of an answer under the rules of a problem, and with what the answer says of it: those
    findings name DOCUMENT in the place of a rule. Raises Fault as `panel_of` does."""
    panel = panel_of(problem, answer)
    rules, findings = judge(panel)
    return [*findings, *wrong_claims(panel, answer, rules, findings)]


def checked(problem: Problem, answer: Answer) -> Checked:
    """The verdict on a panel document. Raises Fault as `panel_of` does."""
    findings = check(problem, answer)
    sha256 = problem_sha256(problem)
    same = answer.problem.sha256 == sha256
    holds = same and not any(finding.hard for finding in findings)
    return Checked(holds=holds, problem_sha256=sha256, same_problem=same, findings=findings)


def says(panel: Panel, measure: Measure) -> Saying:
    """A measure as message id and parameters."""
    group = None if measure.group is None else panel.problem.groups[measure.group].name
    params = {"value": measure.value, "low": measure.low, "high": measure.high, "group": group}
    return Saying(code=measure.code, params={**params, **dict(measure.params)})


def _result(rule: Rule, panel: Panel, measures: list[Measure]) -> RuleResult:
    tightest = min(measures, key=lambda m: m.margin, default=None)
    said = Saying(code=f"name.{rule.rule}") if tightest is None else says(panel, tightest)
    group = None if tightest is None or tightest.group is None else panel.problem.groups[tightest.group].id
    return RuleResult(
        id=rule.id,
        rule=rule.rule,
        hard=rule.soft is None,
        holds=all(m.holds for m in measures),
        value=tightest.value if tightest else None,
        low=tightest.low if tightest else None,
        high=tightest.high if tightest else None,
        margin=tightest.margin if tightest else None,
        group=group,
        says=said,
        basis=rule.basis.text,
        basis_status=rule.basis.status,
    )


def _finding(rule: Rule, panel: Panel, measure: Measure) -> FindingResult:
    return FindingResult(
        rule=rule.id,
        hard=rule.soft is None,
        says=says(panel, measure),
        experts=[panel.problem.experts[e] for e in measure.experts],
        cases=[panel.problem.cases.id[c] for c in measure.cases],
        group=None if measure.group is None else panel.problem.groups[measure.group].id,
        basis=rule.basis.text,
        basis_status=rule.basis.status,
    )
