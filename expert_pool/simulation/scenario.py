"""`scenario/1`: what a what-if question is, as a file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from expert_pool.policies.document import Words

Scalar = bool | int | str
Count = Annotated[int, Field(ge=1, le=10_000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Doc(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BaseDoc(Doc):
    """What is asked about: a problem file (beside the scenario), a meeting of the registry, or every meeting of a year."""

    problem: Name | None = None
    committee: Name | None = None
    meeting: Name | None = None
    year: int | None = Field(default=None, ge=1990, le=2100)
    policy: Name | None = None
    known_at: str | None = None


class RuleEdit(Doc):
    """A rule with other values in some fields, or left out."""

    rule: Name
    set: dict[str, Any] = {}
    drop: bool = False


class GoalEdit(Doc):
    """A goal with other values in some fields, or left out."""

    goal: Name
    set: dict[str, Any] = {}
    drop: bool = False


class SeatsDoc(Doc):
    low: int | None = Field(default=None, ge=1, le=1000)
    high: int | None = Field(default=None, ge=1, le=1000)
    alternates: int | None = Field(default=None, ge=0, le=1000)


class GroupEdit(Doc):
    """Other sizes of a group; `*`: of every group."""

    group: Name
    set: SeatsDoc


class LeaveEdit(Doc):
    """Experts who neither sit nor wait."""

    leave: tuple[Name, ...] = Field(min_length=1)


class FactEdit(Doc):
    """A fact of some experts (of all where none are named) takes another value; null: unknown."""

    fact: Name
    value: Scalar | None
    experts: tuple[Name, ...] | None = None


class JoinDoc(Doc):
    """So many people alike: sub-specialties with proficiency 1..3, facts, all other facts as those of `like`."""

    count: int = Field(default=1, ge=1, le=1000)
    skills: dict[str, Annotated[int, Field(ge=1, le=3)]] = Field(min_length=1)
    facts: dict[str, Scalar | None] = {}
    like: Name | None = None


class JoinEdit(Doc):
    """People who join the pool, in conflict with nobody."""

    join: tuple[JoinDoc, ...] = Field(min_length=1)


class MoreDoc(Doc):
    group: Name
    specialty: Name
    count: int = Field(default=1, ge=1, le=10_000)


class CasesEdit(Doc):
    """Cases that fall away, and cases that come."""

    without_cases: tuple[Name, ...] = ()
    more_cases: tuple[MoreDoc, ...] = ()


Edit = RuleEdit | GoalEdit | GroupEdit | LeaveEdit | FactEdit | JoinEdit | CasesEdit
EDITS: dict[str, type[Doc]] = {
    "rule": RuleEdit,
    "goal": GoalEdit,
    "group": GroupEdit,
    "leave": LeaveEdit,
    "fact": FactEdit,
    "join": JoinEdit,
    "without_cases": CasesEdit,
    "more_cases": CasesEdit,
}
"""The kind of an edit, by a key that it has."""


def _edit(value: Any) -> Any:
    if isinstance(value, dict):
        for key, kind in EDITS.items():
            if key in value:
                return kind.model_validate(value)
        raise ValueError(f"one of {', '.join(EDITS)} must stand here")
    return value


AnyEdit = Annotated[
    Any,
    BeforeValidator(_edit),
    WithJsonSchema({"type": "object", "anyOf": [{"required": [key]} for key in EDITS]}),
]


class OptionDoc(Doc):
    """One of several named alternatives."""

    name: Name
    change: tuple[AnyEdit, ...] = ()


class AxisDoc(Doc):
    """What varies. `parameter`: `rules.RULE.FIELD`, `goals.GOAL.FIELD`, `groups.GROUP.low|high|alternates` (`*`: every
    group), with `values`, or `from`..`to` in `count` equal steps or by `step`. Or named `options`."""

    parameter: Name | None = None
    title: Words | None = None
    values: tuple[Scalar, ...] | None = None
    from_: Scalar | None = Field(default=None, alias="from")
    to: Scalar | None = None
    count: Count | None = None
    step: Scalar | None = None
    options: tuple[OptionDoc, ...] | None = None


class SweepDoc(Doc):
    """`grid`: every combination; `list`: the first values together, then the second; `latin`: so many `draws`, each axis
    cut into as many equal parts, each part met once (Latin hypercube, McKay, Beckman and Conover 1979)."""

    by: Literal["grid", "list", "latin"] = "grid"
    axes: tuple[AxisDoc, ...] = Field(min_length=1, max_length=8)
    draws: Count | None = None


class CostDoc(Doc):
    """A goal level may cost at most so much."""

    level: int = Field(ge=0, le=99)
    most: int


class TippingDoc(Doc):
    """The last value at which there is a panel, or at which a goal level costs at most so much. Shares without `step` are
    exact: to the seat."""

    parameter: Name
    title: Words | None = None
    from_: Scalar = Field(alias="from")
    to: Scalar
    step: Scalar | None = None
    holds: Literal["feasible"] | CostDoc = "feasible"


class ParetoDoc(Doc):
    """Two or three goals traded for one another; a time for all of it, else that of the scenario."""

    goals: tuple[Name, ...] = Field(min_length=2, max_length=3)
    seconds: float | None = Field(default=None, gt=0, le=86400)


class ScenarioDoc(Doc):
    """`scenario/1`. `extends`: another scenario whose fields stand wherever this one says nothing. `change`: what holds at
    every point. `seconds`: of each search. `seed`: of the panels' ties and of a Latin hypercube."""

    format: Literal["scenario/1"] = "scenario/1"
    extends: Name | None = None
    title: Words | None = None
    base: BaseDoc
    seed: int | None = Field(default=None, ge=0, lt=2**53)
    seconds: float | None = Field(default=None, gt=0, le=86400)
    change: tuple[AnyEdit, ...] = ()
    sweep: SweepDoc | None = None
    tipping: tuple[TippingDoc, ...] = ()
    pareto: ParetoDoc | None = None
    asked_on: date | None = None
