"""The rival: CP-SAT on the model one would write first: a Boolean for every expert and group, pairwise clauses."""

from __future__ import annotations

from typing import Any

import numpy as np

from solver.engines.cp_sat import CpSat, Solved
from solver.model import build, layout
from solver.problem import Problem
from solver.rules.base import Gate
from solver.search import summed
from solver.seats import PRESENT


def naive(problem: Problem, seconds: float) -> tuple[Solved, CpSat]:
    """Solves the weighted problem without filtering anybody first: gates fix Booleans to zero inside the model, and
    each pair of experts in conflict is one clause over all their places."""
    everyone = np.ones((len(problem.experts), len(problem.groups)), dtype=bool)
    seats = layout(problem, everyone)
    apart = frozenset(rule.id for rule in problem.rules if rule.rule == "apart")
    model = build(problem, seats, without=apart)
    engine = CpSat(model)
    for rule in problem.rules:
        if isinstance(rule, Gate) and rule.soft is None:
            for block in rule.blocks(seats):
                for column in block.forbidden.tolist():
                    engine.cp.add(engine.columns[column] == 0)
    if apart:
        own = seats.by_expert(*PRESENT)
        for a, b in sorted(problem.apart):
            engine.cp.add_at_most_one(_literals(engine, own[a]) + _literals(engine, own[b]))
    level = summed(model.levels)
    return engine.minimise(level.cost, seconds=seconds, seed=problem.seed), engine


def _literals(engine: CpSat, columns: Any) -> list[Any]:
    return [engine.columns[c] for c in columns.tolist()]
