"""What a panel says back: `panel/1`. The answer is one document; effort and times are in the run log, another."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from solver.rules.base import Status as BasisStatus

Status = Literal["optimal", "feasible", "infeasible", "unknown"]
Stopped = Literal["time", "memory", "gap", "cancelled", "engine"]
RoleName = Literal["chair", "deputy", "member"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Saying(Part):
    """A sentence to be made from the catalogues: message id and parameters."""

    code: str
    params: dict[str, Any] = {}


class GoalResult(Part):
    """One goal level: what it cost, the proven lower bound, and whether the level was proven."""

    id: str
    level: int
    value: int
    bound: int
    proven: bool


class MemberResult(Part):
    expert: str
    group: str
    role: RoleName
    reasons: list[Saying]


class AlternateResult(Part):
    """`order` 1 is called first in the group."""

    expert: str
    group: str
    order: int
    reasons: list[Saying]


class RuleResult(Part):
    """One rule, judged by the checker on this panel: its tightest measure."""

    id: str
    rule: str
    hard: bool
    holds: bool
    value: int | None
    low: int | None
    high: int | None
    margin: int | None
    group: str | None
    says: Saying
    basis: str
    basis_status: BasisStatus


class FindingResult(Part):
    """Where a rule is broken (soft rules too; `hard` tells)."""

    rule: str
    hard: bool
    says: Saying
    experts: list[str]
    cases: list[str]
    group: str | None
    basis: str
    basis_status: BasisStatus


class CaseResult(Part):
    """One case: who of its group are close and broad peers and may judge it, who is recused and why, and the quorum."""

    case: str
    group: str
    specialty: str
    close: list[str]
    broad: list[str]
    recused: dict[str, list[str]]
    """expert -> the kinds of conflict."""
    quorum: int | None
    present: int


class GateResult(Part):
    """One gate of the funnel: how many it bars, and how many are left after it and all before it."""

    id: str
    bars: int
    left: int
    basis: str
    basis_status: BasisStatus


class ProblemRef(Part):
    sha256: str
    title: str
    committee: str
    meeting: str
    on: str
    procedure: Literal["compose", "draw"]
    policy: str
    policy_version: str
    seed: int
    made: bool


class Answer(Part):
    """`panel/1`.

    `fileable` is False for every answer under procedure `draw`: then it is a proposal only, and the panel comes from
    the lawful draw; it is also False unless a legal panel stands in it. `findings` is empty of hard ones in every
    panel this package makes. `why_not` says, when there is no panel, what cannot hold together.
    """

    format: Literal["panel/1"] = "panel/1"
    status: Status
    stopped_by: Stopped | None
    fileable: bool
    problem: ProblemRef
    versions: dict[str, str]
    mode: Literal["lexicographic", "weighted"]
    goals: list[GoalResult]
    objective: int | None
    bound: int | None
    gap: float | None
    members: list[MemberResult]
    alternates: list[AlternateResult]
    rules: list[RuleResult]
    findings: list[FindingResult]
    cases: list[CaseResult]
    considered: int
    funnel: list[GateResult]
    why_not: list[Saying] = []


class RunLog(Part):
    """`panel-run/1`: effort, never part of the answer."""

    format: Literal["panel-run/1"] = "panel-run/1"
    engine: str
    workers: int
    columns: int
    rows: int
    entries: int
    wall_seconds: float
    cpu_seconds: float
    phases: dict[str, float]
    unique: bool | None = None
    """Whether this panel alone is optimal at every level; None where that was not settled."""
    note: str = ""
