"""How well each rater's scores fit what the model expects, and how far off is too far: cut-offs come from simulation,
never from a rule of thumb (Seol 2016; Müller 2020, DOI 10.1177/01466216211013105)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.expected import Facets, Residuals, abilities, residuals
from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats, Ints
from solver.progress import Progress, Reporter, silent

MEASURES = ("infit", "outfit", "spread", "halo")


@dataclass(frozen=True, slots=True)
class Fit:
    """By rater, each compared with 1 or 0 under the model:

    `infit`, `outfit`: mean squares of the residuals, by information and plain (1: as expected; below: too even, as under
    central tendency; above: erratic). `spread`: the scatter of the scores against what the model expects of it (below 1:
    scores keep to the middle). `halo`: the mean product of two criteria's standardised residuals in one case (0: criteria
    are judged each for itself). NaN where there is nothing to compute it from.
    """

    infit: Floats
    outfit: Floats
    spread: Floats
    halo: Floats


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one measure: the part of simulated raters of the same design that lay as low, and as high, and the two-sided p."""

    low: Floats
    high: Floats
    p: Floats


def fit_of(ratings: Ratings, facets: Facets) -> Fit:
    """The four measures of every rater."""
    return _fit(ratings, residuals(ratings, facets, abilities(ratings, facets)), _in_one_case(ratings))


def judged(
    ratings: Ratings,
    facets: Facets,
    *,
    rounds: int = 200,
    seed: int = 0,
    report: Reporter = silent,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Judged]:
    """Each measure against `rounds` simulations in which everybody scores exactly as the model says, with the same cases,
    criteria and severities; abilities are estimated anew each time, as they were from the real scores. `cancelled` ends it
    with the rounds so far; p is then as coarse as their number."""
    random = np.random.default_rng(seed)
    ability = abilities(ratings, facets)
    together = _in_one_case(ratings)
    real = _fit(ratings, residuals(ratings, facets, ability), together)
    place = ability[ratings.case] - facets.shift(ratings)
    below = {name: np.zeros(len(ratings.raters)) for name in MEASURES}
    above = {name: np.zeros(len(ratings.raters)) for name in MEASURES}
    done = 0
    for number in range(rounds):
        if cancelled():
            break
        report(Progress("fit", done=number, total=rounds))
        made = ratings.scored(facets.curves.scores(place, random))
        fit = _fit(made, residuals(made, facets, abilities(made, facets, start=ability)), together)
        for name in MEASURES:
            real_values, made_values = getattr(real, name), getattr(fit, name)
            below[name] += made_values <= real_values
            above[name] += made_values >= real_values
        done += 1
    found = {}
    for name in MEASURES:
        low, high = (below[name] + 1) / (done + 1), (above[name] + 1) / (done + 1)
        p = np.minimum(1.0, 2 * np.minimum(low, high))
        unknown = np.isnan(getattr(real, name))
        found[name] = Judged(*(np.where(unknown, np.nan, values) for values in (low, high, p)))
    return found


def _fit(ratings: Ratings, found: Residuals, together: tuple[Ints, Ints]) -> Fit:
    rater, raters = ratings.rater, len(ratings.raters)
    number = np.bincount(rater, minlength=raters)
    square, standard = found.off**2, found.standard
    with np.errstate(invalid="ignore", divide="ignore"):
        infit = np.bincount(rater, square, raters) / np.bincount(rater, found.variance, raters)
        outfit = np.bincount(rater, standard**2, raters) / number
        centre = np.bincount(rater, ratings.level, raters) / number
        expected = np.bincount(rater, found.mean, raters) / number
        scatter = np.bincount(rater, (ratings.level - centre[rater]) ** 2, raters)
        should = np.bincount(rater, (found.mean - expected[rater]) ** 2 + found.variance, raters)
        spread = np.sqrt(scatter / should)
        one, two = together
        product = standard[one] * standard[two]
        halo = np.bincount(rater[one], product, raters) / np.bincount(rater[one], minlength=raters)
    return Fit(infit, outfit, spread, halo)


def _in_one_case(ratings: Ratings) -> tuple[Ints, Ints]:
    """Pairs of scores that one rater gave one case on two criteria, as positions."""
    key = ratings.case * len(ratings.raters) + ratings.rater
    order = np.argsort(key, kind="stable")
    one, two = [], []
    for apart in range(1, len(ratings.criteria)):
        left, right = order[:-apart], order[apart:]
        same = key[left] == key[right]
        one.append(left[same])
        two.append(right[same])
    none = np.zeros(0, dtype=np.int64)
    return np.concatenate([none, *one]), np.concatenate([none, *two])
