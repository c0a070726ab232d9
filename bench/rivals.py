"""The rivals, on the same problems: models one would write first, another solver, and the office's own draw."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

import numpy as np

from solver.blocks import FREE
from solver.check import judge
from solver.engines.race import Effort, minimise
from solver.facts import Ints
from solver.model import Funnel, Model, build, funnel, layout
from solver.panel import Panel
from solver.problem import Problem
from solver.rules.base import Gate
from solver.search import summed
from solver.seats import PRESENT


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a rival came: `value` and `bound` of the weighted cost, and the size of its model."""

    status: str
    value: int | None
    bound: int | None
    columns: int
    rows: int


def naive(problem: Problem, seconds: float) -> Reached:
    """CP-SAT on a Boolean for every expert, group and place: gates are constraints inside the model, and each pair in
    conflict is a clause of its own."""
    everyone = np.ones((len(problem.experts), len(problem.groups)), dtype=bool)
    seats = layout(problem, everyone)
    apart = frozenset(rule.id for rule in problem.rules if rule.rule == "apart")
    model = build(problem, seats, without=apart)
    barred: list[Ints] = [
        block.forbidden
        for rule in problem.rules
        if isinstance(rule, Gate) and rule.soft is None
        for block in rule.blocks(seats)
    ]
    own = seats.by_expert(*PRESENT)
    pairs = [np.concatenate([own[a], own[b]]) for a, b in sorted(problem.apart)] if apart else []
    rows = [*(np.array([c]) for c in np.unique(np.concatenate(barred))), *pairs]
    limits = np.array([0] * (len(rows) - len(pairs)) + [1] * len(pairs), dtype=np.int64)
    return _solved(_with_rows(model, rows, limits), Effort(seconds, engines=("cp_sat",)))


def gated(problem: Problem, seconds: float) -> Reached:
    """CP-SAT on those who pass the gates, conflicts as cliques: our rows without our reduction."""
    return _solved(_gated(problem), Effort(seconds, engines=("cp_sat",)))


def highs(problem: Problem, seconds: float) -> Reached:
    """HiGHS MIP on the same rows."""
    return _solved(_gated(problem), Effort(seconds, engines=("highs",)))


def draw(problem: Problem, draws: int, seconds: float) -> Reached:
    """What an office does with a wheel: draw each group at random from those who pass, leaving out who is in conflict with
    somebody drawn before, and draw again until the rules hold. `columns` counts the draws, `rows` the lawful ones."""
    passed, dice = funnel(problem), random.Random(problem.seed)
    near: dict[int, set[int]] = {}
    for a, b in problem.apart:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    ends, tried, lawful, best = time.monotonic() + seconds, 0, 0, None
    while tried < draws and time.monotonic() < ends:
        tried += 1
        panel = _drawn(problem, passed, near, dice)
        if panel is None or any(finding.hard for finding in judge(panel)[1]):
            continue
        lawful += 1
        cost = sum(goal.weight * goal.value(panel) for goal in problem.goals)
        best = cost if best is None else min(best, cost)
    return Reached("feasible" if lawful else "unknown", best, None, tried, lawful)


def _drawn(problem: Problem, passed: Funnel, near: dict[int, set[int]], dice: random.Random) -> Panel | None:
    taken: set[int] = set()
    members: dict[int, int] = {}
    waiting: list[tuple[int, ...]] = []
    for g, group in enumerate(problem.groups):
        ready = passed.passes[:, g].nonzero()[0].tolist()
        dice.shuffle(ready)
        chosen: list[int] = []
        for expert in ready:
            if expert not in taken and not (near.get(expert, set()) & taken):
                chosen.append(expert)
                taken.add(expert)
            if len(chosen) == group.low + group.alternates:
                break
        else:
            return None
        members.update(dict.fromkeys(chosen[: group.low], g))
        waiting.append(tuple(chosen[group.low :]))
    return Panel(problem, members, None, (), tuple(waiting))


def _gated(problem: Problem) -> Model:
    return build(problem, layout(problem, funnel(problem).passes))


def _with_rows(model: Model, rows: list[Ints], upper: Ints) -> Model:
    from dataclasses import replace

    sizes = np.array([len(row) for row in rows], dtype=np.int64)
    return replace(
        model,
        start=np.concatenate([model.start, model.start[-1] + np.cumsum(sizes)]),
        cols=np.concatenate([model.cols, *rows]),
        vals=np.concatenate([model.vals, np.ones(int(sizes.sum()), dtype=np.int64)]),
        lower=np.concatenate([model.lower, np.full(len(rows), -FREE, dtype=np.int64)]),
        upper=np.concatenate([model.upper, upper]),
        rule_of=(*model.rule_of, *(["rival"] * len(rows))),
    )


def _solved(model: Model, effort: Effort) -> Reached:
    solved = minimise(model, summed(model.levels).cost, effort)
    return Reached(solved.status, solved.value, solved.bound, model.width, len(model.lower))
