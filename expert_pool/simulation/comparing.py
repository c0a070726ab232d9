"""Two results side by side: what differs at the points both have."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from expert_pool.simulation.lens_comparing import compare_fairness, compare_policies, compare_robustness
from expert_pool.simulation.lens_differences import FairnessCompared, PoliciesCompared, RobustnessCompared
from expert_pool.simulation.results import Part, Simulation
from expert_pool.simulation.years.comparing import YearsCompared, compare_years
from solver.answer import Status
from solver.errors import Fault, misfit

NAME = "simulation.json"
KINDS = ("sweep", "tipping", "pareto", "years", "robustness", "fairness", "policies")
"""What a scenario may ask; two results are compared in what both asked."""


class PointDifference(Part):
    """A point that both have and that came out differently. `differences`: second less first, by goal level, where both
    have a panel."""

    base: int
    values: dict[str, str]
    first: Status
    second: Status
    differences: dict[int, int]
    same_panel: bool


class Compared(Part):
    """`simulation-diff/1`. `only_first`, `only_second`: points that the other does not have; `asked_first`, `asked_second`: what
    only one of the two scenarios asks (of KINDS)."""

    format: Literal["simulation-diff/1"] = "simulation-diff/1"
    first_sha256: str
    second_sha256: str
    same_inputs: bool
    points: int
    differing: list[PointDifference]
    only_first: int
    only_second: int
    tipping: list[tuple[str, str | None, str | None]]
    frontier_only_first: list[list[int]]
    frontier_only_second: list[list[int]]
    years: YearsCompared | None = None
    robustness: RobustnessCompared | None = None
    fairness: FairnessCompared | None = None
    policies: PoliciesCompared | None = None
    asked_first: list[str]
    asked_second: list[str]


def read_simulation(path: Path) -> Simulation:
    """The result in a file, or in the folder it was written to. Raises Fault where there is none, or one that names panels,
    meetings or policies it does not have."""
    file = path / NAME if path.is_dir() else path
    try:
        found = Simulation.model_validate_json(file.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Fault("scenario.unreadable", str(file), name=str(file), reason=reason) from None
    except ValidationError as error:
        place, why = misfit(error)
        raise Fault("scenario.no_result", f"{file}: {place}", reason=why) from None
    for part in ("points", "tipping", "frontier", "robustness", "fairness", "policies"):
        if not _whole(found, found.model_dump(mode="json")[part]):
            raise Fault("scenario.result_torn", f"{file}: {part}")
    return found


PANELS = frozenset({"panel", "panels", "optimum", "near"})
"""Fields that name panels by their keys, alone or in lists; a meeting after absences besides, beside who is absent."""


def _whole(found: Simulation, part: Any) -> bool:
    """Whether everything that a part of a result names by key or number is there."""
    if isinstance(part, list):
        return all(_whole(found, one) for one in part)
    if not isinstance(part, dict):
        return True
    bases = {base.number for base in found.bases}
    policies = 0 if found.policies is None else len(found.policies.policies)
    keys = [key for name in PANELS & part.keys() for key in _keys(part[name])]
    keys += _keys(part["meeting"]) if "absent" in part and "meeting" in part else []
    numbers = [own for own in (part.get("policy"),) if isinstance(own, int)]
    return (
        all(key in found.panels for key in keys)
        and ("base" not in part or part["base"] in bases)
        and all(0 <= number < policies for number in numbers)
        and all(_whole(found, one) for one in part.values())
    )


def _keys(named: Any) -> list[str]:
    if isinstance(named, list):
        return [key for one in named for key in _keys(one)]
    return [named] if isinstance(named, str) and named else []


def compare(first: Simulation, second: Simulation) -> Compared:
    """What differs between two results."""
    ours = {(p.base, *sorted(p.values.items())): p for p in first.points}
    theirs = {(p.base, *sorted(p.values.items())): p for p in second.points}
    differing = []
    for key, a in ours.items():
        b = theirs.get(key)
        if b is None:
            continue
        values = {goal.level: goal.value for goal in a.goals}
        gaps = {g.level: g.value - values[g.level] for g in b.goals if g.level in values}
        same = a.panel is not None and b.panel is not None and first.panels[a.panel] == second.panels[b.panel]
        if a.status != b.status or any(gaps.values()) or (a.panel is not None and not same):
            differing.append(
                PointDifference(
                    base=a.base,
                    values=a.values,
                    first=a.status,
                    second=b.status,
                    differences=gaps if a.panel and b.panel else {},
                    same_panel=same,
                )
            )
    same_luck = (first.scenario.get("seed") or 0) == (second.scenario.get("seed") or 0)
    asks = [[kind for kind in KINDS if one.scenario.get(kind)] for one in (first, second)]
    last = {t.parameter: t.last for t in second.tipping}
    one = {tuple(p.costs) for p in first.frontier.points} if first.frontier else set()
    other = {tuple(p.costs) for p in second.frontier.points} if second.frontier else set()
    return Compared(
        first_sha256=first.inputs_sha256,
        second_sha256=second.inputs_sha256,
        same_inputs=first.inputs_sha256 == second.inputs_sha256,
        points=len(ours.keys() & theirs.keys()),
        differing=differing,
        only_first=len(ours.keys() - theirs.keys()),
        only_second=len(theirs.keys() - ours.keys()),
        tipping=[
            (t.parameter, t.last, last[t.parameter])
            for t in first.tipping
            if t.parameter in last and last[t.parameter] != t.last
        ],
        frontier_only_first=[list(costs) for costs in sorted(one - other)],
        frontier_only_second=[list(costs) for costs in sorted(other - one)],
        years=None
        if first.years is None or second.years is None
        else compare_years(first.years, second.years, same_luck),
        robustness=compare_robustness(first, second),
        fairness=compare_fairness(first, second, same_luck),
        policies=compare_policies(first, second),
        asked_first=[kind for kind in asks[0] if kind not in asks[1]],
        asked_second=[kind for kind in asks[1] if kind not in asks[0]],
    )
