"""One point of a sweep, settled: by a search of its own, or by what a looser point has shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from solver.answer import GoalResult, Status, Stopped
from solver.assemble import BrokenPanel
from solver.check import judge
from solver.claims import level_costs
from solver.diagnosis.elements import same_people
from solver.engines.race import Cancelled
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Reporter, silent
from solver.search import search
from solver.sweeping.kept import Kept, Prices

How = Literal["solved", "panel", "infeasible"]
"""`solved`: by a search of its own. `panel`: an optimum of a looser point is lawful here. `infeasible`: a looser point has
no lawful panel."""

ALWAYS = frozenset({"group_size", "locks", "alternates"})
"""Rules that look at more than their own fields: at the groups, at decisions about persons, at all other rules."""


@dataclass(frozen=True)
class Settled:
    """What a point came to. `panel` in the numbers of the point's own problem; `goals` as in a cold search; `source`: the
    point whose result was taken over, None where it was searched. `unique` as `search` says it; `prices` are for the points
    after it."""

    status: Status
    stopped_by: Stopped | None
    goals: tuple[GoalResult, ...]
    panel: Panel | None
    unique: bool | None
    how: How = "solved"
    source: int | None = None
    exact: bool = False
    """Whether the panel stands at the optimum of every level: no tolerance was used up."""
    prices: Prices = field(default_factory=dict, compare=False, repr=False)

    @property
    def costs(self) -> tuple[int, ...]:
        """The value of each level, in order."""
        return tuple(goal.value for goal in self.goals)

    @property
    def proven(self) -> bool:
        """Whether nothing is left open: an optimum, or that there is none."""
        return self.status in ("optimal", "infeasible")


def searched(
    problem: Problem,
    kept: Kept,
    near: Settled | None,
    *,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Settled:
    """A search that begins from a neighbour's panel and prices. Raises BrokenPanel where the checker finds fault."""
    start = None if near is None or near.panel is None else replace(near.panel, problem=problem)
    kept.prices = {} if near is None else near.prices
    outcome = search(problem, start=start, distinct=True, known=kept, report=report, cancelled=cancelled)
    if outcome.panel is not None and not lawful(outcome.panel):
        raise BrokenPanel(f"point of a sweep: {problem.title}")
    settled = Settled(
        outcome.status,
        outcome.stopped_by,
        outcome.goals,
        outcome.panel,
        outcome.unique,
        prices=kept.proven(outcome),
    )
    if outcome.panel is None:
        return settled
    return replace(settled, exact=tuple(level_costs(outcome.panel).values()) == settled.costs)


def inherited(problem: Problem, before: Sequence[tuple[int, Settled]]) -> Settled | None:
    """What looser points have shown of this one: the theorems of `solver.sweeping.order`; None where they show nothing.

    An optimal panel is handed on only if it stands at the optimum of every level, so that no tolerance was used up: the
    levels of the tighter point then stay open as wide and no wider.
    """
    for at, other in before:
        if other.status == "infeasible":
            return replace(other, how="infeasible", source=at if other.source is None else other.source)
    optimal = [
        (at, other)
        for at, other in before
        if other.status == "optimal" and other.panel is not None and other.exact
    ]
    dearest = max((other.costs for _, other in optimal), default=())
    tried: list[Panel] = []
    for at, other in optimal:
        panel = other.panel
        if panel is None or other.costs != dearest or any(_same(panel, one) for one in tried):
            continue
        tried.append(panel)
        if still_lawful(panel, problem):
            return replace(
                other,
                panel=replace(panel, problem=problem),
                how="panel",
                source=at if other.source is None else other.source,
            )
    return None


def lawful(panel: Panel) -> bool:
    """Whether the checker finds no hard rule broken."""
    return not any(finding.hard for finding in judge(panel)[1])


def still_lawful(panel: Panel, problem: Problem) -> bool:
    """Whether the checker finds no hard rule broken in a problem of the same people, where it found none in the panel's own.

    A rule that is the same says the same of the same panel, so that only others are asked; what must hold after
    no-shows is asked again of those.
    """
    before = {rule.id: rule for rule in panel.problem.rules}
    asked = tuple(
        rule
        for rule in problem.rules
        if rule.soft is None and (rule.rule in ALWAYS or before.get(rule.id) != rule)
    )
    return lawful(replace(panel, problem=same_people(problem, rules=asked, goals=())))


def _same(one: Panel, other: Panel) -> bool:
    return (one.members, one.chair, one.deputies, one.alternates) == (
        other.members,
        other.chair,
        other.deputies,
        other.alternates,
    )
