"""Severities, difficulties and thresholds, estimated from pairs by penalised maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.curves import REACH, STEP, read
from expert_pool.reevaluation.measurement.graph import Graph
from expert_pool.reevaluation.measurement.pairs import Pairs, split_chances, splits
from solver.facts import Floats, Ints

SPREAD = 5.0
"""Logits: the standard deviation of the weak prior that keeps who always gave the lowest or highest score finite, and puts
the mean of every connected set of raters at 0. On 50 scores it moves an estimate by a few thousandths of itself."""
CLOSE = 1e-4
"""Logits: estimates that move by less are settled."""
ROUNDS = 100
LONGEST = 2.0
"""Logits: no step goes further at once."""
SHORT = 0.1
"""Logits: the likelihood is concave, so Newton steps as short as this are taken without a trial; the tables are too coarse
to weigh them."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """`value[j]` in logits (higher: gives less), its standard error, and how many pairs tell of it. Values are comparable
    only within one connected set. `settled`: whether the search came to rest."""

    value: Floats
    error: Floats
    pairs: Ints
    thresholds: Floats
    settled: bool


def offsets_of(
    pairs: Pairs,
    count: int,
    steps: int,
    *,
    thresholds: Floats | None = None,
    start: Offsets | None = None,
    close: float = CLOSE,
) -> Offsets:
    """The offsets of `count` raters (or criteria) from their pairs, on a scale of `steps` steps. Thresholds (mean 0) are
    estimated too unless they are given. `start`: where to begin, such as the estimate of nearly the same pairs; `close`:
    logits below which a step ends the search."""
    value = np.zeros(count) if start is None else start.value.copy()
    free = thresholds is None and steps > 1 and len(pairs) > 0
    held = thresholds
    if held is None:
        held = start.thresholds if start is not None else np.linspace(-1.0, 1.0, steps) * (steps > 1)
    graph, pairs = Graph.of(pairs, count)
    settled = False
    tables = Tables.of(held)
    point = Point.at(pairs, graph, value, tables)
    for _ in range(ROUNDS):
        step = _newton(pairs, graph, point, value)
        value, point, moved = _along(pairs, graph, value, step, tables, point)
        if free:
            new = _thresholds(pairs, point, tables)
            moved = max(moved, float(np.abs(new - tables.thresholds).max()))
            tables = Tables.of(new)
            point = Point.at(pairs, graph, value, tables)
        if moved < close:
            settled = True
            break
    number = np.bincount(pairs.first, minlength=count) + np.bincount(pairs.second, minlength=count)
    return Offsets(value, _errors(pairs, graph, point), number, tables.thresholds, settled)


@dataclass(frozen=True, slots=True)
class Tables:
    """Of the first of two scores, for every sum of both and every difference of severities on a grid: chances, mean,
    variance, and the log of what normalises them. `size` points a sum."""

    thresholds: Floats
    weights: Floats
    chances: Floats
    mean: Floats
    variance: Floats
    log_total: Floats
    size: int

    @staticmethod
    def of(thresholds: Floats) -> Tables:
        weights = splits(thresholds)
        grid = np.arange(-REACH, REACH + STEP, STEP)
        sums = np.repeat(np.arange(len(weights)), len(grid))
        chances, log_total = split_chances(weights, sums, np.tile(grid, len(weights)))
        level = np.arange(weights.shape[1], dtype=np.float64)
        mean = chances @ level
        variance = np.maximum(chances @ (level * level) - mean * mean, 0.0)
        return Tables(thresholds, weights, chances, mean, variance, log_total, len(grid))


@dataclass(frozen=True, slots=True)
class Point:
    """The pairs seen from one estimate: where each stands in the tables, mean and variance of its first score."""

    before: Ints
    part: Floats
    mean: Floats
    variance: Floats

    @staticmethod
    def at(pairs: Pairs, graph: Graph, value: Floats, tables: Tables) -> Point:
        """The pairs of the graph, as offsets and tables see them."""
        place = np.clip((value[graph.one] - value[graph.two] + REACH) / STEP, 0.0, tables.size - 1.001)
        grid = place.astype(np.int64)
        before = (pairs.gave + pairs.other) * tables.size + grid[graph.edge]
        part = (place - grid)[graph.edge]
        return Point(before, part, read(tables.mean, before, part), read(tables.variance, before, part))

    def fit(self, pairs: Pairs, graph: Graph, value: Floats, tables: Tables) -> float:
        """The penalised log likelihood of all pairs."""
        logs = tables.weights[pairs.gave + pairs.other, pairs.gave]
        logs -= read(tables.log_total, self.before, self.part)
        logs -= (value[graph.one] - value[graph.two])[graph.edge] * pairs.gave
        return float(pairs.weight @ logs) - float(value @ value) / (2 * SPREAD**2)


def _newton(pairs: Pairs, graph: Graph, point: Point, value: Floats) -> Floats:
    """The Newton step. The Hessian is the Laplacian of the graph, each edge as heavy as the variance of its pairs, and
    the prior."""
    slope = graph.flowing(graph.summed(pairs.weight * (point.mean - pairs.gave))) - value / SPREAD**2
    return graph.solved(graph.summed(pairs.weight * point.variance), slope, SPREAD**-2)


def _along(
    pairs: Pairs, graph: Graph, value: Floats, step: Floats, tables: Tables, point: Point
) -> tuple[Floats, Point, float]:
    """The step, a long one shortened until the likelihood does not fall; the point there, and how far it went."""
    size = float(np.abs(step).max(initial=0.0))
    length = min(1.0, LONGEST / max(size, 1e-300))
    if size < SHORT:
        return value + step, Point.at(pairs, graph, value + step, tables), size
    least = point.fit(pairs, graph, value, tables)
    while True:
        new = value + length * step
        there = Point.at(pairs, graph, new, tables)
        if size * length < SHORT or there.fit(pairs, graph, new, tables) >= least:
            return new, there, size * length
        length /= 2


def _thresholds(pairs: Pairs, point: Point, tables: Tables) -> Floats:
    """One Newton step of the thresholds, mean 0: the sum of two scores fixes what all thresholds share. Expectations are
    taken over the grid, on which every pair is laid down between its two nearest points."""
    held = tables.thresholds
    steps = len(held)
    level = np.arange(steps + 1)
    reached = (level[:, None] > np.arange(steps)).astype(np.float64)
    given = np.bincount(pairs.gave, pairs.weight, steps + 1) + np.bincount(
        pairs.other, pairs.weight, steps + 1
    )
    slope, curve = -held / SPREAD**2 - given @ reached, np.eye(steps) / SPREAD**2
    laid = np.bincount(point.before, pairs.weight * (1 - point.part), len(tables.mean))
    laid += np.bincount(point.before + 1, pairs.weight * point.part, len(tables.mean))
    for total in range(2 * steps + 1):
        rows = slice(total * tables.size, (total + 1) * tables.size)
        passed = reached + reached[np.clip(total - level, 0, steps)]
        weight, chances = laid[rows], tables.chances[rows]
        expected = chances @ passed
        slope += weight @ expected
        curve += passed.T @ ((weight @ chances)[:, None] * passed) - expected.T @ (weight[:, None] * expected)
    step = np.linalg.solve(curve, slope)
    step *= min(1.0, 1.0 / max(1e-300, float(np.abs(step).max())))
    new = held + step
    return np.asarray(new - new.mean())


def _errors(pairs: Pairs, graph: Graph, point: Point) -> Floats:
    """Standard errors: the inverse Hessian's diagonal to second order, times how much more the cases scatter than
    independent pairs would (sandwich by case, Varin et al. 2011, made larger for few cases as the jackknife over cases would,
    Bell & McCaffrey 2002); with the prior, for whom nothing is known."""
    count = graph.count
    heavy = graph.summed(pairs.weight * point.variance)
    diagonal = graph.touching(heavy)
    safe = np.where(diagonal > 0, diagonal, 1.0)
    second_order = graph.touching(heavy * heavy / (safe[graph.one] * safe[graph.two]))
    pull = pairs.weight * (point.mean - pairs.gave)
    by_case = np.concatenate([pairs.case * count + pairs.first, pairs.case * count + pairs.second])
    cluster, row = np.unique(by_case, return_inverse=True)
    told = np.bincount(row, np.concatenate([pull, -pull]), len(cluster))
    cases = np.bincount(cluster % count, minlength=count)
    scatter = np.bincount(cluster % count, told * told, count) * (cases / np.maximum(cases - 1, 1)) ** 2
    known = (diagonal > 0) & (scatter > 0) & (cases > 1)
    precision = np.where(known, safe * safe / np.where(known, (1.0 + second_order) * scatter, 1.0), 0.0)
    return np.asarray(1.0 / np.sqrt(precision + SPREAD**-2))
