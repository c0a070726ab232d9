"""Where a panel stands: its places as columns of a model, and what it costs on each rung of the goal order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd

import numpy as np

from solver.claims import level_costs
from solver.engines.race import Effort, minimise
from solver.facts import Ints
from solver.model import Model
from solver.panel import Panel
from solver.problem import Problem
from solver.reduce import restrict
from solver.rules.roles import Roles
from solver.seats import Place, Seats

Costs = tuple[int, ...]
"""One number for each rung. Compared as tuples: that is the order of the goals."""

SECONDS = 10.0
"""For the few auxiliaries that stay open once everybody's place is fixed: a matter of milliseconds."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One level of the order. Costs there are multiples of `unit`. A weighted problem has one rung, its level 0."""

    id: str
    level: int
    unit: int
    tolerance: int


def rungs(problem: Problem) -> tuple[Rung, ...]:
    """The levels of a problem in their order, also those at which nothing can be lost."""
    found = []
    soft = {rule.soft for rule in problem.rules if rule.soft is not None}
    for number in sorted(soft | {goal.level for goal in problem.goals}):
        bent = [rule for rule in problem.rules if rule.soft == number]
        goals = [goal for goal in problem.goals if goal.level == number]
        found.append(
            Rung(
                "+".join((*(rule.id for rule in bent), *(goal.id for goal in goals))),
                number,
                gcd(*(rule.weight for rule in bent), *(goal.weight for goal in goals)),
                max((goal.tolerance for goal in goals), default=0),
            )
        )
    if problem.weighted and found:
        return (Rung("+".join(rung.id for rung in found), 0, gcd(*(rung.unit for rung in found)), 0),)
    return tuple(found)


def costs_of(panel: Panel) -> Costs:
    """What anybody's panel costs on each rung of its problem, from plain sets."""
    costs = level_costs(panel)
    return tuple(costs.get(rung.level, 0) for rung in rungs(panel.problem))


def allowed(model: Model, panel: Panel) -> bool:
    """Whether the rows of a model allow a panel; False too where somebody has no such place in it. What auxiliaries
    stay open once the seats are fixed is left to an engine."""
    try:
        fixed = model.seats.encode(panel)
    except KeyError:
        return False
    width = len(fixed)
    if bool((fixed > model.column_upper[:width]).any()):
        return False
    lower, upper = model.column_lower.copy(), model.column_upper.copy()
    lower[:width] = upper[:width] = fixed
    closed = restrict(model.within(lower, upper), np.ones(len(lower), dtype=bool))
    return minimise(closed, None, Effort(SECONDS)).values is not None


def panel_in(problem: Problem, panel: Panel) -> Panel:
    """The same people in a changed problem; where it knows no roles, nobody holds one."""
    if any(isinstance(rule, Roles) for rule in problem.rules):
        return replace(panel, problem=problem)
    return replace(panel, problem=problem, chair=None, deputies=())


def spots(panel: Panel) -> dict[int, tuple[int, int]]:
    """Where everybody is: (group, 0) for a member, (group, n) for the alternate who is called n-th."""
    found = {expert: (group, 0) for expert, group in panel.members.items()}
    for group, called in enumerate(panel.alternates):
        found.update({expert: (group, order) for order, expert in enumerate(called, start=1)})
    return found


def columns_at(seats: Seats, group: int, order: int) -> Ints:
    """The columns of a spot, experts rising; none where there is no such spot."""
    if order == 0:
        return seats.columns(Place.MEMBER, group)
    return np.arange(*seats.turns.get((group, min(order, seats.ordered + 1)), (0, 0)))


def column(seats: Seats, group: int, order: int, expert: int) -> int | None:
    """The column of one expert in a spot; None where it is not open to them."""
    there = columns_at(seats, group, order)
    at = int(np.searchsorted(seats.expert[there], expert))
    return int(there[at]) if at < len(there) and seats.expert[there[at]] == expert else None
