"""Two results side by side: what differs at the points both have."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from expert_pool.simulation.results import Part, Simulation
from expert_pool.simulation.years.comparing import YearsCompared, compare_years
from solver.answer import Status
from solver.errors import Fault

NAME = "simulation.json"


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
    """`simulation-diff/1`. `only_first`, `only_second`: points that the other does not have."""

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


def read_simulation(path: Path) -> Simulation:
    """The result in a file, or in the folder it was written to. Raises Fault where there is none."""
    file = path / NAME if path.is_dir() else path
    try:
        return Simulation.model_validate_json(file.read_bytes())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Fault("scenario.unreadable", str(file), name=str(file), reason=reason) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise Fault("scenario.no_result", f"{file}: {place}", reason=first["msg"]) from None


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
        else compare_years(
            first.years, second.years, (first.scenario["seed"] or 0) == (second.scenario["seed"] or 0)
        ),
    )
