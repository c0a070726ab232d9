"""Agreement of raters: Krippendorff's alpha with missing data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats

Metric = Literal["nominal", "ordinal", "interval"]
METRICS: tuple[Metric, ...] = get_args(Metric)
AT_ONCE = 20_000
"""Cells whose coincidences are counted at once."""


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha: 1 agreement, 0 chance. `low`, `high`: a bootstrap interval over cases, NaN without one.
    `pairable`: scores that have another to be compared with. NaN where nobody scored what another did, or all scores are
    equal: then there is nothing to agree about."""

    value: float
    low: float
    high: float
    pairable: int


def alpha(
    ratings: Ratings, metric: Metric, *, rounds: int = 1000, seed: int = 0, within: float = 0.95
) -> Alpha:
    """One of `alphas`."""
    return alphas(ratings, metrics=(metric,), rounds=rounds, seed=seed, within=within)[metric]


def alphas(
    ratings: Ratings,
    *,
    metrics: Sequence[Metric] = METRICS,
    values: Floats | None = None,
    rounds: int = 1000,
    seed: int = 0,
    within: float = 0.95,
) -> Mapping[Metric, Alpha]:
    """Alpha over all cells of case and criterion (Hayes & Krippendorff 2007), with an interval that holds `within` of
    `rounds` resamples of whole cases, so that criteria of one case stay together. `values`: the score that each level
    stands for, of which the interval metric takes the differences."""
    stands = np.arange(ratings.steps + 1, dtype=np.float64) if values is None else values
    coincidences, pairable = _coincidences(ratings)
    if not pairable:
        return {metric: Alpha(np.nan, np.nan, np.nan, 0) for metric in metrics}
    levels = ratings.steps + 1
    cases = len(coincidences)
    random = np.random.default_rng([seed, 3])
    again: dict[Metric, list[float]] = {metric: [] for metric in metrics}
    for _ in range(rounds):
        drawn = np.bincount(random.integers(0, cases, cases), minlength=cases).astype(np.float64)
        table = (drawn @ coincidences).reshape(levels, levels)
        for metric in metrics:
            again[metric].append(_alpha(table, metric, stands))
    total = coincidences.sum(axis=0).reshape(levels, levels)
    found: dict[Metric, Alpha] = {}
    for metric in metrics:
        held = [value for value in again[metric] if not np.isnan(value)]
        tail = 100 * (1 - within) / 2
        low, high = np.percentile(held, [tail, 100 - tail]) if held else (np.nan, np.nan)
        found[metric] = Alpha(_alpha(total, metric, stands), float(low), float(high), pairable)
    return found


def _coincidences(ratings: Ratings) -> tuple[Floats, int]:
    """By case with pairable scores the coincidence of every two levels, flat; and how many scores are pairable."""
    levels, criteria = ratings.steps + 1, len(ratings.criteria)
    cells, place = np.unique(ratings.case * criteria + ratings.criterion, return_inverse=True)
    scores = np.bincount(place, minlength=len(cells))
    several = scores > 1
    kept = np.flatnonzero(several[place])
    cell = (np.cumsum(several) - 1)[place[kept]]
    level = ratings.level[kept]
    sizes, owner = scores[several], (cells // criteria)[several]
    cases, by_case = np.unique(owner, return_inverse=True)
    found = np.zeros((len(cases), levels * levels))
    starts = np.searchsorted(cell, np.arange(len(sizes) + 1))
    for begin in range(0, len(sizes), AT_ONCE):
        end = min(begin + AT_ONCE, len(sizes))
        rows = slice(int(starts[begin]), int(starts[end]))
        counts = np.bincount((cell[rows] - begin) * levels + level[rows], minlength=(end - begin) * levels)
        table = counts.reshape(end - begin, levels).astype(np.float64)
        met = table[:, :, None] * table[:, None, :]
        met[:, np.arange(levels), np.arange(levels)] -= table
        met /= (sizes[begin:end] - 1)[:, None, None]
        first = np.flatnonzero(np.diff(by_case[begin:end], prepend=-1))
        found[by_case[begin:end][first]] += np.add.reduceat(met.reshape(end - begin, -1), first, axis=0)
    return found, int(sizes.sum())


def _alpha(coincidences: Floats, metric: Metric, values: Floats) -> float:
    margin = coincidences.sum(axis=1)
    total = float(margin.sum())
    apart = _distance(margin, metric, values)
    expected = float((np.outer(margin, margin) * apart).sum()) / (total - 1)
    if not expected > 0:
        return float("nan")
    return 1.0 - float((coincidences * apart).sum()) / expected


def _distance(margin: Floats, metric: Metric, values: Floats) -> Floats:
    level = np.arange(len(margin))
    if metric == "nominal":
        return np.asarray(level[:, None] != level, dtype=np.float64)
    if metric == "interval":
        return np.asarray((values[:, None] - values) ** 2)
    reached = np.cumsum(margin)
    lower = np.minimum(level[:, None], level)
    upper = np.maximum(level[:, None], level)
    between = reached[upper] - reached[lower] + margin[lower] - (margin[lower] + margin[upper]) / 2
    return np.asarray(np.where(lower == upper, 0.0, between**2))
