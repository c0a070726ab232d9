"""Agreement of raters: Krippendorff's alpha with missing data, and each against the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats

Metric = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha: 1 agreement, 0 chance. `low`, `high`: a bootstrap interval over cases. `pairable`: scores that
    have another to be compared with. NaN where nobody scored what another did, or all scores are equal: then there is
    nothing to agree about."""

    value: float
    low: float
    high: float
    pairable: int


def alpha(
    ratings: Ratings, metric: Metric, *, rounds: int = 1000, seed: int = 0, within: float = 0.95
) -> Alpha:
    """Alpha over all cells of case and criterion (Hayes & Krippendorff 2007), with an interval that holds `within` of
    `rounds` resamples of whole cases, so that criteria of one case stay together."""
    levels = ratings.steps + 1
    cell = ratings.case * len(ratings.criteria) + ratings.criterion
    cells, place = np.unique(cell, return_inverse=True)
    counts = np.bincount(place * levels + ratings.level, minlength=len(cells) * levels)
    table = counts.reshape(len(cells), levels).astype(np.float64)
    scores = table.sum(axis=1)
    table, owner = table[scores > 1], (cells // len(ratings.criteria))[scores > 1]
    scores = scores[scores > 1]
    pairable = int(scores.sum())
    if not pairable:
        return Alpha(np.nan, np.nan, np.nan, 0)
    met = table[:, :, None] * table[:, None, :]
    met[:, np.arange(levels), np.arange(levels)] -= table
    met /= (scores - 1)[:, None, None]
    known, by_case = np.unique(owner, return_inverse=True)
    coincidences = np.zeros((len(known), levels * levels))
    np.add.at(coincidences, by_case, met.reshape(len(met), -1))
    value = _alpha(coincidences.sum(axis=0).reshape(levels, levels), metric)
    random = np.random.default_rng(seed)
    again = []
    for _ in range(rounds):
        drawn = random.multinomial(len(known), np.full(len(known), 1 / len(known))).astype(np.float64)
        again.append(_alpha((drawn @ coincidences).reshape(levels, levels), metric))
    again = [a for a in again if not np.isnan(a)]
    tail = 100 * (1 - within) / 2
    low, high = np.percentile(again, [tail, 100 - tail]) if again else (np.nan, np.nan)
    return Alpha(value, float(low), float(high), pairable)


def _alpha(coincidences: Floats, metric: Metric) -> float:
    margin = coincidences.sum(axis=1)
    total = float(margin.sum())
    apart = _distance(margin, metric)
    expected = float((np.outer(margin, margin) * apart).sum()) / (total - 1)
    if not expected > 0:
        return float("nan")
    return 1.0 - float((coincidences * apart).sum()) / expected


def _distance(margin: Floats, metric: Metric) -> Floats:
    level = np.arange(len(margin), dtype=np.float64)
    if metric == "nominal":
        return np.asarray(level[:, None] != level, dtype=np.float64)
    if metric == "interval":
        return np.asarray((level[:, None] - level) ** 2)
    reached = np.cumsum(margin)
    lower = np.minimum(level[:, None], level).astype(np.int64)
    upper = np.maximum(level[:, None], level).astype(np.int64)
    between = reached[upper] - reached[lower] + margin[lower] - (margin[lower] + margin[upper]) / 2
    return np.asarray(np.where(lower == upper, 0.0, between**2))


def against_others(ratings: Ratings) -> Floats:
    """By rater: the correlation of the own scores with the mean of the others' on the same case and criterion; NaN below
    three comparisons or where either does not vary. Dissent is protected: a low value is a reason to look, no more."""
    cell = ratings.case * len(ratings.criteria) + ratings.criterion
    _, place = np.unique(cell, return_inverse=True)
    number = np.bincount(place)[place]
    total = np.bincount(place, ratings.level)[place]
    shared = number > 1
    own = ratings.level[shared].astype(np.float64)
    others = (total[shared] - own) / (number[shared] - 1)
    rater, raters = ratings.rater[shared], len(ratings.raters)
    count = np.bincount(rater, minlength=raters)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = own - (np.bincount(rater, own, raters) / count)[rater]
        others = others - (np.bincount(rater, others, raters) / count)[rater]
        product = np.bincount(rater, own * others, raters)
        size = np.sqrt(np.bincount(rater, own**2, raters) * np.bincount(rater, others**2, raters))
        return np.asarray(np.where((count >= 3) & (size > 1e-12), product / size, np.nan))
