"""What the goals, rules and groups of some problems are named by, for readers who do not have the problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from expert_pool.simulation.results import ConditionNamed, GoalNamed, RuleNamed
from solver.problem import Problem
from solver.rules.base import Rule


class Named(Protocol):
    """What knows names by id, and the scenario that may give others: a result, or `Names`."""

    @property
    def scenario(self) -> Mapping[str, Any]: ...
    @property
    def goals(self) -> Mapping[str, GoalNamed]: ...
    @property
    def rules(self) -> Mapping[str, RuleNamed]: ...
    @property
    def groups(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Names:
    """`goals`: goals, and soft rules, whose shortfall counts like one; `groups`: names by id."""

    goals: dict[str, GoalNamed]
    rules: dict[str, RuleNamed]
    groups: dict[str, str]
    scenario: dict[str, Any] = field(default_factory=dict)


def named_in(problems: Iterable[Problem]) -> Names:
    """The names of every goal, rule and group of some problems; of two with one id, the last."""
    found = Names({}, {}, {})
    for problem in problems:
        for goal in problem.goals:
            found.goals[goal.id] = GoalNamed(kind=goal.goal, fact=getattr(goal, "fact", None))
        for rule in problem.rules:
            found.rules[rule.id] = _rule(rule)
            if rule.soft is not None:
                found.goals[rule.id] = GoalNamed(kind=rule.rule, fact=getattr(rule, "fact", None))
        found.groups.update({group.id: group.name for group in problem.groups})
    return found


def _rule(rule: Rule) -> RuleNamed:
    fields = rule.model_dump(mode="json")
    tests = fields.get("where") or []
    return RuleNamed(
        kind=rule.rule,
        fact=fields.get("fact"),
        grade=fields.get("grade"),
        where=[
            ConditionNamed(fact=test["fact"], op=test["op"], value=test["value"])
            for test in ([tests] if isinstance(tests, dict) else tests)
        ],
    )
