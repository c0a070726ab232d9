"""What the model expects of every score, once severities are known: abilities of cases, expectations, residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.curves import Curves, chances_at, read
from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats, Ints

FARTHEST = 8.0
"""Logits: abilities beyond it tell no two cases apart."""
CLOSE = 1e-4
"""Logits: abilities that move by less are settled."""


@dataclass(frozen=True, slots=True)
class Facets:
    """The estimates side by side: severities by rater, difficulties by criterion, and the curves of the scale."""

    severity: Floats
    difficulty: Floats
    curves: Curves

    def shift(self, ratings: Ratings) -> Floats:
        """Of every score, how far rater and criterion push it down."""
        return np.asarray(self.severity[ratings.rater] + self.difficulty[ratings.criterion])


def abilities(
    ratings: Ratings,
    facets: Facets,
    *,
    start: Floats | None = None,
    level: Ints | None = None,
    shift: Floats | None = None,
    most: int | None = None,
) -> Floats:
    """One ability a case by Warm's weighted likelihood (1989), which is finite also for a case with all marks at one end
    and nearly free of bias. `start`: where to begin; `level` and `shift` instead of those of ratings and facets; `most`:
    so many rounds and the nearest points of the curves, where a hundredth of a logit does not matter."""
    case, cases = ratings.case, len(ratings.cases)
    level = ratings.level if level is None else level
    shift = facets.shift(ratings) if shift is None else shift
    ability = np.zeros(cases) if start is None else start
    curves = facets.curves
    scored = np.bincount(case, level, cases)
    for _ in range(most or 60):
        place = ability[case] - shift
        if most:
            at = curves.nearest(place)
            by_score = [curve[at] for curve in (curves.mean, curves.skew, curves.variance)]
        else:
            before, part = curves.places(place)
            by_score = [read(curve, before, part) for curve in (curves.mean, curves.skew, curves.variance)]
        expected, skew, information = (np.bincount(case, values, cases) for values in by_score)
        information = np.maximum(information, 1e-9)
        step = np.clip((scored - expected + skew / (2 * information)) / information, -1.0, 1.0)
        ability = np.clip(ability + step, -FARTHEST, FARTHEST)
        if float(np.abs(step).max(initial=0.0)) < CLOSE:
            break
    return ability


@dataclass(frozen=True, slots=True)
class Residuals:
    """Of every score: its expectation and variance under the model, and how far off it was (score minus expectation)."""

    mean: Floats
    variance: Floats
    off: Floats

    @property
    def standard(self) -> Floats:
        """In standard deviations."""
        return np.asarray(self.off / np.sqrt(np.maximum(self.variance, 1e-9)))


def residuals(ratings: Ratings, facets: Facets, ability: Floats) -> Residuals:
    """What was expected of every score, and what came."""
    before, part = facets.curves.places(ability[ratings.case] - facets.shift(ratings))
    mean = read(facets.curves.mean, before, part)
    return Residuals(mean, read(facets.curves.variance, before, part), ratings.level - mean)


def fair_averages(facets: Facets, ability: Floats, values: Floats) -> Floats:
    """By rater: the score this rater would give on average to a case of middling ability, over all criteria, on the scale
    itself (`values`: the score each level stands for). What is left of a difference between two raters when the luck of
    their cases is taken out."""
    middle = float(np.median(ability)) if len(ability) else 0.0
    total = np.zeros(len(facets.severity))
    for difficulty in facets.difficulty.tolist():
        total += chances_at(middle - facets.severity - difficulty, facets.curves.thresholds) @ values
    return np.asarray(total / max(1, len(facets.difficulty)))
