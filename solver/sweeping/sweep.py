"""A sweep: one problem at many points, each settled as cheaply as its neighbours allow, with the result of a cold search.

Points are settled from loose to tight. A point waits for all that are looser than it; then it takes over what they have
shown, or is searched from the panel and the prices of its nearest neighbour. What a point is given depends on the points
alone, never on who was done first, so the number of workers changes no result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solver.engines.race import Cancelled
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.sweeping.changes import Change, applied
from solver.sweeping.kept import Kept
from solver.sweeping.order import looser
from solver.sweeping.settled import Settled, inherited, searched

Point = tuple[Change, ...]
Watch = Callable[[int, Settled], None]
"""Told of each point as it is settled."""


@dataclass(frozen=True)
class Plan:
    """The points of a sweep and how they hang together. `before[p]`: points known to be looser than p (of two that are
    the same problem, the first). `near[p]`: whose panel and prices p begins from, among `before` where there are any;
    `order`: one in which every point comes after all it waits for."""

    problems: tuple[Problem, ...]
    before: tuple[tuple[int, ...], ...]
    near: tuple[int | None, ...]
    order: tuple[int, ...]


def planned(problem: Problem, points: Sequence[Point]) -> Plan:
    """The problems of some points and their order. Raises Fault where a change does not fit the problem."""
    problems = _applied(problem, points)
    relation = looser(problems)
    both = relation & relation.T
    first = np.tril(both, -1).T | (relation & ~both)
    np.fill_diagonal(first, False)
    before = tuple(tuple(np.flatnonzero(first[:, p]).tolist()) for p in range(len(points)))
    near: list[int | None] = []
    for p, own in enumerate(before):
        alike = [q for q in range(p) if problems[q].experts is problems[p].experts]
        near.append(max(own, key=lambda q: (len(before[q]), q)) if own else max(alike, default=None))
    order = sorted(range(len(points)), key=lambda p: (len(before[p]), p))
    return Plan(problems, before, tuple(_acyclic(near, order)), tuple(order))


def _acyclic(near: Sequence[int | None], order: Sequence[int]) -> list[int | None]:
    """A neighbour that comes later in the order is none."""
    place = {p: i for i, p in enumerate(order)}
    return [None if q is not None and place[q] > place[p] else q for p, q in enumerate(near)]


def _applied(problem: Problem, points: Sequence[Point]) -> tuple[Problem, ...]:
    """The problem at each point. Changes that begin alike are made once, so that what they have in common is one object."""
    made: dict[str, Problem] = {"": problem}
    found = []
    for point in points:
        key, own = "", problem
        for change in point:
            key += f"{change!r};"
            if key not in made:
                made[key] = applied(own, (change,))
            own = made[key]
        found.append(own)
    return tuple(found)


def sweep(
    plan: Plan,
    *,
    known: Mapping[int, Settled] | None = None,
    kept: Kept | None = None,
    watch: Watch = lambda point, settled: None,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> dict[int, Settled]:
    """Every point settled, in one process; those settled before `cancelled` said so. `known` are settled already (from a
    run that was stopped) and are not told of again."""
    kept = kept or Kept()
    done: dict[int, Settled] = dict(known or {})
    for point in plan.order:
        if cancelled():
            break
        if point in done:
            continue
        report(Progress("sweep", done=len(done), total=len(plan.order)))
        settled = settle(plan, point, done, kept, cancelled)
        if settled.stopped_by == "cancelled":
            break
        done[point] = settled
        watch(point, settled)
    return done


def settle(
    plan: Plan, point: int, done: Mapping[int, Settled], kept: Kept, cancelled: Cancelled = lambda: False
) -> Settled:
    """One point, all it waits for being done."""
    problem = plan.problems[point]
    found = inherited(problem, [(q, done[q]) for q in plan.before[point] if q in done])
    if found is not None:
        return found
    near = plan.near[point]
    return searched(problem, kept, None if near is None else done.get(near), cancelled=cancelled)
