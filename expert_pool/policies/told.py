"""What a policy says, as documents: in brief, whole, and beside another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from expert_pool.policies.policy import Policy, Setting
from solver.rules import Basis


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyBrief(Part):
    """Which policy it is. `sha256` covers its text and the overrides; `procedure` decides whether a panel may be filed."""

    id: str
    version: str
    title: dict[str, str]
    procedure: Literal["compose", "draw"]
    sha256: str


class ParameterTold(Part):
    """A number that rules speak of, at one level; `value` null: no text gives one."""

    name: str
    value: Setting
    basis: Basis
    note: dict[str, str]


class PolicyTold(PolicyBrief):
    """Every rule and parameter for committees of one `level`, each with its basis. `unstated` are parameters without a
    number, with the rules that are left out for it."""

    level: str
    parameters: list[ParameterTold]
    rules: list[dict[str, Any]]
    goals: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    filings: dict[str, Basis]
    unstated: list[dict[str, Any]]


class Difference(Part):
    """One thing that two policies say differently; null where one does not say it."""

    name: str
    first: Any
    second: Any


class PolicyComparison(Part):
    """What differs between two policies for committees of one level, apart from the instruments they stand on."""

    level: str
    first: PolicyBrief
    second: PolicyBrief
    parameters: list[Difference]
    rules: list[Difference]
    goals: list[Difference]
    conflicts: list[Difference]
    filings: list[Difference]

    @property
    def count(self) -> int:
        """How many differences there are."""
        return sum(map(len, (self.parameters, self.rules, self.goals, self.conflicts, self.filings)))


def brief(policy: Policy) -> PolicyBrief:
    """Which policy it is."""
    return PolicyBrief(
        id=policy.id,
        version=policy.version,
        title=dict(policy.title),
        procedure=policy.procedure,
        sha256=policy.sha256,
    )


def told(policy: Policy, level: str) -> PolicyTold:
    """All that a policy says for committees of a level. Raises Fault `policy.level_unknown`."""
    return PolicyTold(
        **brief(policy).model_dump(),
        level=level,
        parameters=[
            ParameterTold(name=p.name, value=p.at(level), basis=p.basis, note=dict(p.note))
            for p in policy.parameters.values()
        ],
        rules=[rule.model_dump(mode="json") for rule in policy.rules(level)],
        goals=[goal.model_dump(mode="json") for goal in policy.goals(level)],
        conflicts=[asdict(c) | {"basis": c.basis.model_dump()} for c in policy.conflicts.values()],
        filings={str(kind): basis for kind, basis in policy.filings.items()},
        unstated=[asdict(unstated) | {"note": dict(unstated.note)} for unstated in policy.unstated],
    )


def compare(first: Policy, second: Policy, level: str) -> PolicyComparison:
    """What two policies say differently for committees of a level; a basis alone is no difference.

    Raises Fault `policy.level_unknown`.
    """
    one, other = told(first, level), told(second, level)

    def differing(part: Callable[[PolicyTold], Mapping[str, Any]]) -> list[Difference]:
        a, b = part(one), part(other)
        return [
            Difference(name=name, first=a.get(name), second=b.get(name))
            for name in dict.fromkeys((*a, *b))
            if a.get(name) != b.get(name) or (name in a) != (name in b)
        ]

    return PolicyComparison(
        level=level,
        first=brief(first),
        second=brief(second),
        parameters=differing(lambda policy: {p.name: p.value for p in policy.parameters}),
        rules=differing(lambda policy: {rule["id"]: _plain(rule) for rule in policy.rules}),
        goals=differing(lambda policy: {goal["id"]: _plain(goal) for goal in policy.goals}),
        conflicts=differing(lambda policy: {c["kind"]: _plain(c) for c in policy.conflicts}),
        filings=differing(lambda policy: dict.fromkeys(policy.filings, True)),
    )


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key != "basis"}
