"""What a scenario comes to before anything is settled: problems, axes, how many points, and what they may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from expert_pool.simulation.histories import Histories, Recalled, histories
from expert_pool.simulation.reading import Scenario, cycles_named
from expert_pool.simulation.results import PanelPart, digest, panel_part
from expert_pool.simulation.spreading import (
    MOST,
    Axis,
    axes_of,
    changes_at,
    changes_of,
    count_of,
    places_of,
)
from expert_pool.simulation.years.running import checked_years
from solver.errors import Fault
from solver.panel import Panel
from solver.problem import Problem
from solver.sweeping.changes import Change, applied

ASK = 2_000
"""More points than this are only settled when somebody said yes to the cost."""
EACH = 1.0
"""Seconds that a point is taken to need when nothing is known yet."""
NOTHING = Recalled()
"""What a registry adds where none is needed."""


@dataclass(frozen=True)
class Asked:
    """What a scenario comes to before anything is settled: its problems after `change`, axes, points."""

    scenario: Scenario
    problems: tuple[Problem, ...]
    axes: tuple[Axis, ...]
    count: int
    """Points in all, over every base."""
    panels: int = 0
    """Panels of the years ahead."""
    histories: Histories | None = None
    """The meetings under the policies that are compared."""

    @property
    def hours(self) -> float:
        """How long it may take at worst, one after the other."""
        return (self.count + self.panels) * EACH / 3600


@dataclass
class Gathering:
    """What comes in while a scenario runs."""

    panels: dict[str, PanelPart] = field(default_factory=dict)
    complete: bool = True

    def keep(self, panel: Panel | None) -> str | None:
        return self.keep_part(None if panel is None else panel_part(panel))

    def keep_part(self, part: PanelPart | None) -> str | None:
        """The key of a panel among the panels; None without one."""
        if part is None:
            return None
        key = digest(part.model_dump(mode="json"))[:16]
        self.panels[key] = part
        return key


def asked(scenario: Scenario, problems: Sequence[Problem], recalled: Recalled = NOTHING) -> Asked:
    """Lays a scenario over its problems. Raises Fault, with file and line, for names and values that do not fit, and for
    more points than could ever be settled, with what they would cost. `recalled`: see `histories`."""
    scenario = replace(scenario, cycles=recalled.cycles)
    _cycles_read(scenario)
    fixed = changes_of(scenario.doc.change, scenario.cycles)
    changed = tuple(_applied(scenario, "change", problem, fixed) for problem in problems)
    years = scenario.doc.years
    panels = 0 if years is None else checked_years(scenario, years, changed)
    over = histories(scenario, changed, recalled)
    if scenario.doc.sweep is None:
        return Asked(scenario, changed, (), 0, panels, over)
    axes = axes_of(scenario, changed[0])
    count = count_of(scenario, axes) * len(changed)
    if count > MOST:
        hours = round(count * EACH / 3600)
        raise Fault("scenario.too_many", scenario.at("sweep"), count=count, most=MOST, hours=hours)
    for problem in changed:
        for axis in axes:
            for change in axis.changes:
                _applied(scenario, "sweep", problem, change)
    return Asked(scenario, changed, axes, count, panels, over)


def _cycles_read(scenario: Scenario) -> None:
    """Raises Fault for a cycle of which nobody has read what it decides."""
    for code, where in cycles_named(scenario).items():
        if code not in scenario.cycles:
            raise Fault("scenario.no_registry", where)


def _applied(scenario: Scenario, part: str, problem: Problem, changes: Sequence[Change]) -> Problem:
    """Changes applied; a fault names the place in the scenario."""
    try:
        return applied(problem, changes)
    except Fault as fault:
        where = scenario.at(part)
        raise Fault(fault.code, f"{where}: {fault.where}" if fault.where else where, **fault.params) from None


def affordable(asked: Asked, yes: bool) -> None:
    """Raises Fault `scenario.costly` where many points were asked for and nobody said yes."""
    count = asked.count + asked.panels
    if count > ASK and not yes:
        where = asked.scenario.at("sweep" if asked.count else "years")
        raise Fault("scenario.costly", where, count=count, hours=round(asked.hours, 1), most=ASK)


def at_point(asked: Asked, number_: int) -> Problem:
    """The problem behind a point, so that it can be assembled, checked and replayed by itself. Raises Fault where the
    sweep has no such point."""
    places = places_of(asked.scenario, asked.axes) if asked.scenario.doc.sweep else []
    if not 0 <= number_ < len(places) * len(asked.problems):
        raise Fault(
            "scenario.point_unknown", str(number_), number=number_, count=len(places) * len(asked.problems)
        )
    task, at = divmod(number_, len(places))
    changes: tuple[Change, ...] = changes_at(asked.axes, places[at])
    return applied(asked.problems[task], changes)
