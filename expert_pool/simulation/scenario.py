"""`scenario/1`: what a what-if question is, as a file."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from expert_pool.policies.document import Words
from expert_pool.simulation.edits import EDITS as EDITS
from expert_pool.simulation.edits import AnyEdit as AnyEdit
from expert_pool.simulation.edits import CasesEdit as CasesEdit
from expert_pool.simulation.edits import Count as Count
from expert_pool.simulation.edits import CycleEdit as CycleEdit
from expert_pool.simulation.edits import Doc as Doc
from expert_pool.simulation.edits import FactEdit as FactEdit
from expert_pool.simulation.edits import GoalEdit as GoalEdit
from expert_pool.simulation.edits import GroupEdit as GroupEdit
from expert_pool.simulation.edits import JoinDoc as JoinDoc
from expert_pool.simulation.edits import JoinEdit as JoinEdit
from expert_pool.simulation.edits import LeaveEdit as LeaveEdit
from expert_pool.simulation.edits import Name as Name
from expert_pool.simulation.edits import RuleEdit as RuleEdit
from expert_pool.simulation.edits import Scalar as Scalar
from expert_pool.simulation.edits import Supposed as Supposed
from expert_pool.simulation.lenses import FairnessDoc, PoliciesDoc, RobustnessDoc
from expert_pool.simulation.years.document import YearsDoc


class RegionDoc(Doc):
    """A made region: so many experts and committees, of a seed, with `cases` a committee."""

    experts: int = Field(ge=300, le=1_000_000)
    committees: int = Field(ge=1, le=500)
    seed: int = Field(default=1, ge=0, lt=2**31)
    cases: int = Field(default=200, ge=10, le=10_000)


class BaseDoc(Doc):
    """What is asked about: a problem file (beside the scenario), a meeting of the registry, every meeting of a year, or the
    season of a made region. `overrides`: numbers of the policy that are others here, parameters by their names and windows
    as `conflicts.KIND.window`."""

    problem: Name | None = None
    committee: Name | None = None
    meeting: Name | None = None
    year: int | None = Field(default=None, ge=1990, le=2100)
    region: RegionDoc | None = None
    policy: Name | None = None
    overrides: dict[Name, Supposed] = Field(default={})
    known_at: str | None = None


class OptionDoc(Doc):
    """One of several named alternatives; `title`: what readers see instead of the name."""

    name: Name
    title: Words | None = None
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
    years: YearsDoc | None = None
    robustness: RobustnessDoc | None = None
    fairness: FairnessDoc | None = None
    policies: PoliciesDoc | None = None
    asked_on: date | None = None
