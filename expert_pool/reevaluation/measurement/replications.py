"""What chance alone would do: severities from resampled cases, and fit from scores that keep to the model.

Each replication has a random stream of its own, named by the seed and its number, so that results do not depend on how many
run at once. Both kinds start from the estimate and take one Newton step (k-step bootstrap, Andrews 2002).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np

from expert_pool.reevaluation.measurement.expected import Facets, Residuals, abilities
from expert_pool.reevaluation.measurement.fit import Design, Fit, fit_from
from expert_pool.reevaluation.measurement.graph import Graph
from expert_pool.reevaluation.measurement.pairs import Pairs
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.reevaluation.measurement.severity import SPREAD, Point, Tables
from expert_pool.reevaluation.measurement.sums import sums
from solver.facts import Floats, Ints, Mask
from solver.progress import Progress, Reporter

T = TypeVar("T")

AT_ONCE = 2
LEAST = 20
"""Replications below which no interval and no p is given."""
ALIKE = 30
"""Raters from which on each is judged beside the others."""
STEPS = 3
"""Newton steps of the abilities of simulated cases."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The estimates that replications start from, with all that stays the same in each of them."""

    ratings: Ratings
    pairs: Pairs
    graph: Graph
    facets: Facets
    ability: Floats
    design: Design
    tables: Tables
    part: Ints
    """By case the linked set it belongs to, for resampling within."""
    seed: int


def repeated(
    work: Callable[[int], T],
    rounds: int,
    *,
    phase: str,
    report: Reporter,
    cancelled: Callable[[], bool],
) -> Iterator[T]:
    """`work(0)`, `work(1)`, ... in order, some at once; ends early when `cancelled`."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        numbers = iter(range(rounds))
        waiting = [pool.submit(work, number) for number in islice(numbers, AT_ONCE)]
        done = 0
        try:
            while waiting and not cancelled():
                report(Progress(phase, done=done, total=rounds))
                yield waiting.pop(0).result()
                done += 1
                waiting += [pool.submit(work, number) for number in islice(numbers, 1)]
        finally:
            for future in waiting:
                future.cancel()


def chances(real: Floats, made: Floats, number: Ints, *, side: int) -> Floats:
    """By rater the chance of a value as far out as the `real` one among the `made` (R, J): on the low `side` (-1), the high
    one (1) or both (0). Distances are taken in standard deviations of the rater's own replications, and compared with those
    of all raters with about as many scores (`number`), so that small chances can be told from few replications. Where there
    are `ALIKE` raters, what most of them have in common (a model that does not quite hold) is taken off first: distances
    count from their median, and in their own spread where that is wider (an empirical null, Efron 2004). NaN where the
    measure is unknown or never varies."""
    known = np.isfinite(made)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, made, 0.0).sum(axis=0) / count
        off = np.where(known, made - mean, 0.0)
        deviation = np.sqrt((off * off).sum(axis=0) / (count - 1))
        usable = np.isfinite(real) & (count >= LEAST) & (deviation > 1e-9)
        far = (real - mean) / (deviation * np.sqrt(1 + 1 / count))
        common = np.where(known, off / deviation * np.sqrt(count / (count - 1)), np.nan)
    if int(usable.sum()) >= ALIKE:
        far = _beside_others(far, usable, common[:, usable][known[:, usable]])
    p = np.full(len(real), np.nan)
    order = np.flatnonzero(usable)[np.argsort(number[usable], kind="stable")]
    for alike in np.array_split(order, 4 if len(order) >= 400 else 1):
        if not len(alike):
            continue
        pool = np.sort(common[:, alike][known[:, alike]])
        below = (np.searchsorted(pool, far[alike], side="right") + 1) / (len(pool) + 1)
        above = (len(pool) - np.searchsorted(pool, far[alike], side="left") + 1) / (len(pool) + 1)
        p[alike] = below if side < 0 else above if side > 0 else 2 * np.minimum(below, above)
    return np.asarray(np.minimum(p, 1.0))


def _beside_others(far: Floats, usable: Mask, pool: Floats) -> Floats:
    """Distances with the median of the usable ones brought to that of the pool, and their spread where it is wider."""

    def centred(values: Floats) -> tuple[float, float]:
        middle = float(np.median(values))
        return middle, float(np.median(np.abs(values - middle)))

    (middle, width), (usual, usual_width) = centred(far[usable]), centred(pool)
    return np.asarray(usual + (far - middle) / max(1.0, width / max(usual_width, 1e-9)))


def evened(name: str, values: Floats) -> Floats:
    """A measure on a scale where it scatters alike on both sides: mean squares as cube roots (Wilson & Hilferty 1931),
    correlations by Fisher's z."""
    if name in ("infit", "outfit"):
        return np.asarray(np.cbrt(values))
    return np.asarray(np.arctanh(np.clip(values, -0.999, 0.999))) if name == "agreement" else values


def resampled(settled: Settled) -> Callable[[int], Floats]:
    """A function from the number of a replication to the severities of cases drawn anew, with replacement, as many in each
    linked set as there are."""
    pairs, graph, value = settled.pairs, settled.graph, settled.facets.severity
    point = Point.at(pairs, graph, value, settled.tables)
    count = len(settled.ratings.cases)
    keys = graph.edge * count + pairs.case
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.diff(keys[order], prepend=-1))
    edge, case = keys[order][begins] // count, keys[order][begins] % count
    slope = np.add.reduceat((pairs.weight * (point.mean - pairs.gave))[order], begins)
    heavy = np.add.reduceat((pairs.weight * point.variance)[order], begins)
    drawn_from = np.argsort(settled.part, kind="stable")
    sizes = np.bincount(settled.part)
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    size = np.repeat(sizes, sizes)

    def one(number: int) -> Floats:
        random = np.random.default_rng([settled.seed, 1, number])
        drawn = drawn_from[start + (random.random(count) * size).astype(np.int64)]
        weight = np.bincount(drawn, minlength=count)[case]
        pulled = sums(edge, weight * slope, len(graph.one))
        held = sums(edge, weight * heavy, len(graph.one))
        steepness = graph.flowing(pulled) - value / SPREAD**2
        return value + graph.solved(held, steepness, SPREAD**-2, enough=1e-4)

    return one


def simulated(settled: Settled) -> Callable[[int], Fit]:
    """A function from the number of a replication to the fit of raters who score exactly as the model says, with the same
    cases, criteria and severities; severities and abilities are estimated anew, as they were from the real scores."""
    ratings, pairs, graph, tables = settled.ratings, settled.pairs, settled.graph, settled.tables
    value, curves = settled.facets.severity, settled.facets.curves
    shift = settled.facets.shift(ratings)
    before, part = curves.places(settled.ability[ratings.case] - shift)
    staying = [(c[before] + part * (c[before + 1] - c[before])).astype(np.float32) for c in curves.below]
    rest = Point.at(pairs, graph, value, tables).before - (pairs.gave + pairs.other) * tables.size
    held = graph.summed(pairs.weight * Point.at(pairs, graph, value, tables).variance)
    difficulty = settled.facets.difficulty[ratings.criterion]

    def one(number: int) -> Fit:
        random = np.random.default_rng([settled.seed, 2, number])
        drawn = random.random(len(ratings), dtype=np.float32)
        level = np.zeros(len(ratings), dtype=np.int64)
        for curve in staying:
            level += drawn > curve
        gave = level[pairs.one]
        mean = tables.mean[rest + (gave + level[pairs.two]) * tables.size]
        slope = graph.flowing(graph.summed(pairs.weight * (mean - gave)))
        severity = value + graph.solved(held, slope, SPREAD**-2, enough=1e-3)
        pushed = severity[ratings.rater] + difficulty
        return _fitted(settled, level, pushed)

    return one


def _fitted(settled: Settled, level: Ints, pushed: Floats) -> Fit:
    """Abilities and fit of other levels under the same design."""
    ratings, curves = settled.ratings, settled.facets.curves
    ability = abilities(ratings, settled.facets, start=settled.ability, level=level, shift=pushed, most=STEPS)
    at = curves.nearest(ability[ratings.case] - pushed)
    mean = curves.mean[at]
    return fit_from(settled.design, level, Residuals(mean, curves.variance[at], level - mean))
