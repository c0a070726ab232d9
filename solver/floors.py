"""What every panel of a problem costs at least, level by level, without a search: prices from the LP, shown in integers.

Each level is bounded by itself, over all panels that keep the hard rules; what the levels before it leave is not known
without a search. So a floor is never above the optimum, and may be below it.
"""

from __future__ import annotations

from dataclasses import dataclass

from solver.cover import Cover
from solver.diagnosis.elements import same_people
from solver.engines.relaxation import Relaxation
from solver.known import Known
from solver.model import Funnel, build, layout
from solver.problem import Problem
from solver.search import summed


@dataclass(frozen=True, slots=True)
class Floor:
    """One level of the goal order and what no panel costs less than there, in the units of its goals."""

    id: str
    level: int
    floor: int


@dataclass(frozen=True, slots=True)
class Floors:
    """`impossible`: the prices prove that no panel keeps the hard rules (False says nothing); `levels` is empty then.
    `columns` and `rows` tell how large the model was."""

    impossible: bool
    levels: tuple[Floor, ...]
    columns: int
    rows: int


def floors(problem: Problem, passed: Funnel, known: Known | None = None) -> Floors:
    """The floors of a problem whose gates let `passed` through. `known`: what was made for a problem much like this one.

    Ties are not broken here; what is promised after no-shows, and who may not sit together, is not asked for. Rows that are
    not there can only make a floor lower, and these are half of the work and say little in an LP.
    """
    problem = easier(problem)
    few = passed.passes.sum(axis=0) < [group.low for group in problem.groups]
    if any(rule.rule == "group_size" and rule.soft is None for rule in problem.rules) and bool(few.any()):
        return Floors(True, (), 0, 0)
    model = build(problem, layout(problem, passed.passes)) if known is None else known.model(problem, passed)
    levels = (summed(model.levels),) if problem.weighted and model.levels else model.levels
    relaxation = Relaxation(model)
    found = []
    for level in levels:
        cover = Cover(model, level.cost, relaxation)
        if cover.impossible:
            return Floors(True, (), model.width, len(model.lower))
        found.append(Floor(level.id, level.level, cover.floor))
    return Floors(False, tuple(found), model.width, len(model.lower))


def easier(problem: Problem) -> Problem:
    """The problem without what is promised after no-shows, without pairs kept apart, and without goals that only break ties:
    every panel of the one is a panel of the other, at the same cost in the levels that are left."""
    rules = tuple(
        rule.model_copy(update={"no_shows": False}) if getattr(rule, "no_shows", False) else rule
        for rule in problem.rules
        if rule.rule != "apart" or rule.soft is not None
    )
    mixed = {rule.soft for rule in problem.rules} | {g.level for g in problem.goals if g.goal != "tie_break"}
    goals = tuple(goal for goal in problem.goals if goal.goal != "tie_break" or goal.level in mixed)
    return same_people(problem, rules=rules, goals=goals)
