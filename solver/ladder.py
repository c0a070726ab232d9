"""The thin-pool ladder: what a policy lets an office try, step after step, when its pool cannot fill a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solver.errors import Fault
from solver.problem import Problem, RuleChange, Step
from solver.rules.base import Rule, Status


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChangePart(Part):
    """The fields of a rule that take other values; null: the rule no longer holds."""

    rule: str
    fields: dict[str, Any] | None


class StepPart(Part):
    """One step. With neither changes nor recruits it is advice only."""

    id: str = Field(min_length=1, pattern=r"^[a-z][a-z0-9_]*$")
    changes: list[ChangePart] = []
    recruits: bool = False
    basis: str = ""
    status: Status = "D"


def read_ladder(parts: Sequence[StepPart]) -> tuple[Step, ...]:
    """The steps of a file."""
    return tuple(
        Step(
            part.id,
            tuple(RuleChange(change.rule, change.fields) for change in part.changes),
            part.recruits,
            part.basis,
            part.status,
        )
        for part in parts
    )


def write_ladder(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The same as JSON-ready data."""
    return [
        {
            "id": step.id,
            "changes": [
                {"rule": change.rule, "fields": None if change.fields is None else dict(change.fields)}
                for change in step.changes
            ],
            "recruits": step.recruits,
            "basis": step.basis,
            "status": step.status,
        }
        for step in steps
    ]


def check_ladder(problem: Problem) -> None:
    """Raises Fault where a step stands twice, or changes a rule into one that makes no sense. A change of a rule that this
    problem does not have changes nothing."""
    rules = {rule.id: rule for rule in problem.rules}
    seen: set[str] = set()
    for i, step in enumerate(problem.ladder):
        if step.id in seen:
            raise Fault("problem.twice", f"ladder.{i}.id", value=step.id)
        seen.add(step.id)
        for j, change in enumerate(step.changes):
            where = f"ladder.{i}.changes.{j}"
            rule = rules.get(change.rule)
            if rule is None:
                continue
            if change.fields is None and rule.rule in ("group_size", "locks"):
                raise Fault("problem.ladder_needed", f"{where}.fields", rule=rule.id)
            if change.fields is not None:
                changed(rule, change.fields, f"{where}.fields").check(problem)


def changed(rule: Rule, fields: Any, where: str = "") -> Rule:
    """The rule with other values in some fields; raises Fault where they do not fit it."""
    fixed = sorted({"id", "rule"} & set(fields))
    try:
        if not fixed:
            return type(rule).model_validate({**rule.model_dump(mode="json"), **fields})
        reason = ", ".join(fixed)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}"
    raise Fault("problem.ladder_fields", where, rule=rule.id, reason=reason)


def climbed(problem: Problem, step: Step) -> Problem:
    """The problem after a step. Changes of rules that are not there, or no longer, change nothing."""
    changes = {change.rule: change.fields for change in step.changes}
    rules = []
    for rule in problem.rules:
        fields = changes.get(rule.id, {})
        if fields is not None:
            rules.append(changed(rule, fields) if fields else rule)
    return replace(problem, rules=tuple(rules))
