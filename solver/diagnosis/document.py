"""What a diagnosis says back: `diagnosis/1`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from solver.answer import Answer, Part, ProblemRef, Saying, Stopped
from solver.diagnosis.elements import Kind
from solver.rules.base import Status as BasisStatus


class ElementResult(Part):
    """One condition of a set. `id` is that of its rule; `expert` whom a lock or exclusion names. `settled`: it was shown that
    without it the others can hold."""

    kind: Kind
    id: str
    rule: str
    expert: str | None
    relaxable: bool
    settled: bool
    says: Saying
    basis: str
    basis_status: BasisStatus


class SetResult(Part):
    """Conditions that cannot hold together. `minimal`: without any one of them a panel exists, every one tested. `exact`:
    false where it rests on rows that ask for a little more than their rule says (see `alternates` in docs/formats.md).
    `notes` say how some of them get in each other's way."""

    elements: list[ElementResult]
    minimal: bool
    exact: bool
    notes: list[Saying]


class ConcessionResult(Part):
    """One rule that gives way, by how many units and at what price; who is let in or stands out, and for which cases."""

    rule: str
    units: int
    cost: int
    says: list[Saying]
    experts: list[str]
    cases: list[str]
    basis: str
    basis_status: BasisStatus


class RelaxationResult(Part):
    """One way to give way: its price `value`, the proven lower `bound` of every way that leaves the rules `kept` alone, and
    the panel it allows. That panel is never fileable: the rules have not changed yet."""

    value: int
    bound: int
    gap: float
    proven: bool
    kept: list[str]
    concessions: list[ConcessionResult]
    panel: Answer


class ProfileResult(Part):
    """So many recruits of one kind: group (id), sub-specialty (code), facts that some rule asks about, and the rules that count
    them and would not count just anybody."""

    count: int
    group: str
    specialty: str
    facts: dict[str, Any]
    counts_for: list[str]
    says: Saying


class RecruitmentResult(Part):
    """The fewest recruits with whom a panel exists. `proven`: fewer will not do. `modest`: of so many no less can be asked."""

    status: Literal["none_needed", "found", "no_number_helps", "undecided"]
    count: int | None
    bound: int
    proven: bool
    modest: bool
    says: Saying
    profiles: list[ProfileResult]


class StepResult(Part):
    """One step of the thin-pool ladder, taken after all those before it. `outcome`: a panel exists now (`panel`), would exist
    with the recruits named (`with_recruits`), does not (`no_panel`), was not settled (`undecided`); or the step is `advice`."""

    id: str
    outcome: Literal["panel", "with_recruits", "no_panel", "undecided", "advice"]
    rules: list[str]
    recruitment: RecruitmentResult | None
    panel: Answer | None
    says: Saying
    basis: str
    basis_status: str


class Diagnosis(Part):
    """`diagnosis/1`.

    `status`: `feasible` (a panel exists, nothing to mend), `infeasible`, or `unknown` when a limit came before either was
    shown. `sets` are minimal sets of conditions that cannot hold together, `all_sets` says that there are no others. `giving_way`:
    whether rules that may give way would do (null: not asked); `stuck` is then a set of rules none of which may. `stopped_by` says which limit
    left something undecided.
    """

    format: Literal["diagnosis/1"] = "diagnosis/1"
    status: Literal["feasible", "infeasible", "unknown"]
    stopped_by: Stopped | None
    problem: ProblemRef
    versions: dict[str, str]
    says: Saying
    sets: list[SetResult] = Field(default_factory=list)
    all_sets: bool = False
    giving_way: Literal["found", "nothing_may", "not_enough", "undecided"] | None = None
    stuck: SetResult | None = None
    relaxations: list[RelaxationResult] = Field(default_factory=list)
    recruitment: RecruitmentResult | None = None
    ladder: list[StepResult] = Field(default_factory=list)
