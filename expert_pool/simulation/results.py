"""`simulation/1`: what came of a scenario, with the hash of everything that went in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from expert_pool.simulation.lens_results import FairnessPart, PoliciesPart, RobustnessPart
from expert_pool.simulation.years.results import YearsPart
from solver.answer import GoalResult, RoleName, Status, Stopped
from solver.panel import Panel
from solver.problem import Problem
from solver.sweeping.changes import Change
from solver.sweeping.settled import How, Settled


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BasePart(Part):
    """A problem that was asked about. `number` is what points name it by."""

    number: int
    problem_sha256: str
    title: str
    committee: str
    meeting: str
    on: str
    experts: int
    made: bool
    fileable: Literal[False] = False
    """What a what-if shows is never filed."""


class SeatedPart(Part):
    expert: str
    group: str
    role: RoleName


class WaitingPart(Part):
    expert: str
    group: str
    order: int


class PanelPart(Part):
    """A panel behind some point, in the pseudonyms of the problem."""

    members: list[SeatedPart]
    alternates: list[WaitingPart]


class PointPart(Part):
    """One point: where it stands, and what it came to. `source`: the point whose result holds here by a theorem; `panel`: a
    key of `panels`; `sha256` names the point everywhere: problem, changes, seed, engines."""

    number: int
    base: int
    values: dict[str, str]
    status: Status
    stopped_by: Stopped | None
    goals: list[GoalResult]
    unique: bool | None
    how: How
    source: int | None
    panel: str | None
    sha256: str


class CyclePart(Part):
    """A cycle of re-evaluation that was taken as in force, as it stood: experts by measure, of whom so many `decided`, the
    others proposed. `sha256`: of who is under which measure."""

    code: str
    pool: str
    as_of: str
    state: str
    sha256: str
    counts: dict[str, int]
    decided: int


class MarginalPart(Part):
    """What a step along one axis costs at a goal level, all else the same: both ends proven. `per_unit` is the difference
    quotient, exact; null where the axis does not count."""

    base: int
    axis: str
    low: str
    high: str
    at: dict[str, str]
    level: int
    difference: int
    per_unit: str | None


class LookedPart(Part):
    value: str
    status: Status
    goals: list[GoalResult]


class TippingPart(Part):
    """The last value at which it holds and the first at which it does not, as `solver.sweeping.tipping` says it."""

    parameter: str
    holds: str
    status: Literal["found", "always", "never", "undecided"]
    last: str | None
    first: str | None
    exact: bool
    monotone: bool
    looked: list[LookedPart]
    panel: str | None


class FrontierPointPart(Part):
    costs: list[int]
    bound: int
    proven: bool
    panel: str


class FrontierPart(Part):
    """The frontier; `knee` is the number of the point suggested."""

    goals: list[str]
    status: Literal["found", "infeasible", "unknown"]
    points: list[FrontierPointPart]
    complete: bool
    stopped_by: Stopped | None
    knee: int | None


class GoalNamed(Part):
    """What sort of goal, or soft rule, an id stands for; `fact`: the one that it goes by."""

    kind: str
    fact: str | None


class ConditionNamed(Part):
    """A test of one fact of an expert, as a rule has it."""

    fact: str
    op: str
    value: bool | int | str | list[bool | int | str]


class RuleNamed(Part):
    """What a rule is named by: its kind, the fact or grade it goes by, the tests of those it counts."""

    kind: str
    fact: str | None = None
    grade: str | None = None
    where: list[ConditionNamed] = []


class Simulation(Part):
    """`simulation/1`. `inputs_sha256`: of the scenario as merged, the problems and the versions; the same inputs give the
    same document, but for points that a limit stopped. `goals`, `rules`, `groups`: by id, for names; `stopped`: somebody ended the work before
    it was complete."""

    format: Literal["simulation/1"] = "simulation/1"
    title: dict[str, str] | None
    inputs_sha256: str
    scenario: dict[str, Any]
    versions: dict[str, str]
    bases: list[BasePart]
    axes: dict[str, list[str]]
    asked: int
    points: list[PointPart]
    marginal: list[MarginalPart]
    tipping: list[TippingPart]
    frontier: FrontierPart | None
    years: YearsPart | None = None
    robustness: RobustnessPart | None = None
    fairness: FairnessPart | None = None
    policies: PoliciesPart | None = None
    goals: dict[str, GoalNamed] = {}
    rules: dict[str, RuleNamed] = {}
    groups: dict[str, str] = {}
    cycles: list[CyclePart] = []
    panels: dict[str, PanelPart]
    complete: bool
    stopped: bool = False


def plain(value: Any) -> Any:
    """Changes as JSON-ready data, told apart by their kind."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__, **{k: plain(v) for k, v in asdict(value).items()}}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(v) for v in value]
    return value


def digest(document: Any) -> str:
    """The sha256 of JSON-ready data, keys sorted, no spaces."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def point_sha256(problem_sha256: str, changes: Sequence[Change], versions: Mapping[str, str]) -> str:
    """What names a point: everything its result depends on but patience."""
    return digest([problem_sha256, [plain(change) for change in changes], dict(versions)])


def panel_part(panel: Panel) -> PanelPart:
    """A panel by its pseudonyms: members by group, alternates in calling order."""
    problem = panel.problem
    role: dict[int, RoleName] = dict.fromkeys(panel.deputies, "deputy")
    if panel.chair is not None:
        role[panel.chair] = "chair"
    return PanelPart(
        members=[
            SeatedPart(expert=problem.experts[e], group=problem.groups[g].id, role=role.get(e, "member"))
            for g, members in enumerate(panel.by_group)
            for e in members
        ],
        alternates=[
            WaitingPart(expert=problem.experts[e], group=problem.groups[g].id, order=order)
            for g, called in enumerate(panel.alternates)
            for order, e in enumerate(called, start=1)
        ],
    )


def panel_from(part: PanelPart, problem: Problem) -> Panel:
    """The panel again; KeyError where somebody is not in the problem."""
    experts = {id_: e for e, id_ in enumerate(problem.experts)}
    groups = {group.id: g for g, group in enumerate(problem.groups)}
    waiting: list[list[tuple[int, int]]] = [[] for _ in groups]
    for one in part.alternates:
        waiting[groups[one.group]].append((one.order, experts[one.expert]))
    chairs = [experts[m.expert] for m in part.members if m.role == "chair"]
    return Panel(
        problem,
        {experts[m.expert]: groups[m.group] for m in part.members},
        chairs[0] if chairs else None,
        tuple(sorted(experts[m.expert] for m in part.members if m.role == "deputy")),
        tuple(tuple(e for _, e in sorted(group)) for group in waiting)
        if part.alternates
        else ((),) * len(groups),
    )


class Stored(Part):
    """One settled point in a file of its own, so that a run that was stopped goes on where it was."""

    format: Literal["simulation-point/1"] = "simulation-point/1"
    sha256: str
    seconds: float
    status: Status
    stopped_by: Stopped | None
    goals: list[GoalResult]
    unique: bool | None
    how: How
    source: str | None
    """The sha256 of the point whose result holds here too."""
    exact: bool
    panel: PanelPart | None


def stored(settled: Settled, sha256: str, seconds: float, names: Sequence[str]) -> Stored:
    """A settled point, to be written; `names`: the sha256 of every point of its sweep."""
    return Stored(
        sha256=sha256,
        seconds=seconds,
        status=settled.status,
        stopped_by=settled.stopped_by,
        goals=list(settled.goals),
        unique=settled.unique,
        how=settled.how,
        source=None if settled.source is None else names[settled.source],
        exact=settled.exact,
        panel=None if settled.panel is None else panel_part(settled.panel),
    )


def restored(part: Stored, problem: Problem, names: Sequence[str]) -> Settled:
    """The settled point again, without prices. One that stood on a point which this sweep does not have stands alone."""
    source = names.index(part.source) if part.source in names else None
    return Settled(
        part.status,
        part.stopped_by,
        tuple(part.goals),
        None if part.panel is None else panel_from(part.panel, problem),
        part.unique,
        "solved" if source is None else part.how,
        source,
        part.exact,
    )
