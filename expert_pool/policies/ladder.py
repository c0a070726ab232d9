"""The thin-pool ladder of a policy: its steps for a committee of one level, each checked where it stands in the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from expert_pool.policies.document import ChangeDoc, StepDoc
from expert_pool.policies.located import Path, nearest
from expert_pool.policies.parsing import parsed
from solver.errors import Fault
from solver.ladder import changed
from solver.problem import RuleChange, Step
from solver.rules import Rule

if TYPE_CHECKING:
    from expert_pool.policies.load import _Reading


def ladder(reading: _Reading, level: str, rules: Sequence[Rule]) -> tuple[Step, ...]:
    """The steps in their order. A change of a rule that is left out at this level, or to a number that no text gives, is
    left out as well. Raises Fault for an id used twice, an unknown rule, or fields that do not fit the rule."""
    there = {rule.id: rule for rule in rules}
    known = [str(data.get("id")) for data in reading.doc.rules]
    steps: list[Step] = []
    for i, data in enumerate(reading.doc.ladder):
        path: Path = ("ladder", i)
        part = reading.references.settle(path, data, level)
        doc = parsed(StepDoc, reading.located, path, part.data)
        if any(step.id == doc.id for step in steps):
            raise Fault("policy.rule_twice", reading.located.at((*path, "id")), id=doc.id)
        basis = reading.basis(doc.basis, (*path, "basis"))
        changes = []
        for j, change in enumerate(doc.changes):
            where = reading.located.at((*path, "changes", j))
            if change.rule not in known:
                raise Fault(
                    "policy.ladder_rule",
                    where,
                    rule=change.rule,
                    nearest=nearest(change.rule, known),
                    known=", ".join(known),
                )
            lacking = any(at[:2] == ("changes", j) for at in part.lacking)
            if change.rule in there and not lacking:
                changes.append(_checked(there[change.rule], change, where))
        steps.append(Step(doc.id, tuple(changes), doc.recruits, basis.text, basis.status))
    return tuple(steps)


def _checked(rule: Rule, change: ChangeDoc, where: str) -> RuleChange:
    if change.fields is not None:
        try:
            changed(rule, change.fields)
        except Fault as fault:
            raise Fault("policy.ladder_fields", where, **fault.params) from None
    elif rule.rule in ("group_size", "locks"):
        raise Fault("problem.ladder_needed", where, rule=rule.id)
    return RuleChange(rule.id, change.fields)
