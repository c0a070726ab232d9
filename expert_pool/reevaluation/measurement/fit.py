"""How well each rater's scores fit what the model expects: five measures, computed for real and for simulated scores alike."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from expert_pool.reevaluation.measurement.expected import Facets, Residuals, abilities, residuals
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.reevaluation.measurement.sums import sums
from solver.facts import Floats, Ints


@dataclass(frozen=True, slots=True)
class Fit:
    """By rater:

    `infit`, `outfit`: mean squares of the residuals, by information and plain (1: as expected; below: too even, as under
    central tendency; above: erratic). `spread`: the scatter of the scores against what the model expects of it (below 1:
    scores keep to the middle). `halo`: the mean product of two criteria's standardised residuals in one case (0: criteria
    are judged each for itself). `agreement`: the correlation of the own scores with the mean of the others' on the same
    case and criterion. NaN where there is nothing to compute it from.
    """

    infit: Floats
    outfit: Floats
    spread: Floats
    halo: Floats
    agreement: Floats


MEASURES = tuple(field.name for field in fields(Fit))


@dataclass(frozen=True, slots=True)
class Design:
    """Which scores belong together, whatever they are: by score its `cell` (case and criterion) and `sitting` (case and
    rater); `cells` and `sittings` are how many scores each holds; `owner` is the rater of a sitting; `number` the scores of
    each rater; `shared` the scores with another in their cell, and `compared` how many of these each rater has."""

    raters: int
    rater: Ints
    cell: Ints
    cells: Ints
    sitting: Ints
    owner: Ints
    number: Ints
    halves: Ints
    shared: Ints
    others: Floats
    compared: Ints

    @staticmethod
    def of(ratings: Ratings) -> Design:
        """The design of ratings sorted by case, criterion and rater."""
        raters, rater = len(ratings.raters), ratings.rater
        cell = (
            np.cumsum(np.diff(ratings.case * len(ratings.criteria) + ratings.criterion, prepend=-1) != 0) - 1
        )
        cells = np.bincount(cell)
        keys, sitting = np.unique(ratings.case * raters + rater, return_inverse=True)
        owner = keys % raters
        size = np.bincount(sitting)
        halves = np.bincount(owner, size * (size - 1) // 2, raters).astype(np.int64)
        shared = np.flatnonzero(cells[cell] > 1)
        return Design(
            raters,
            rater,
            cell,
            cells,
            sitting,
            owner,
            np.bincount(rater, minlength=raters),
            halves,
            shared,
            (cells[cell[shared]] - 1).astype(np.float64),
            np.bincount(rater[shared], minlength=raters),
        )

    def summed(self, by_score: Floats | Ints) -> Floats:
        """By rater."""
        return sums(self.rater, by_score, self.raters)


def fit_of(ratings: Ratings, facets: Facets) -> Fit:
    """The five measures of every rater."""
    found = residuals(ratings, facets, abilities(ratings, facets))
    return fit_from(Design.of(ratings), ratings.level, found)


def fit_from(design: Design, level: Ints, found: Residuals) -> Fit:
    """The measures from levels and residuals that are known."""
    number, summed = design.number, design.summed
    standard = found.standard
    with np.errstate(invalid="ignore", divide="ignore"):
        square, variance = summed(found.off * found.off), summed(found.variance)
        infit = square / variance
        outfit = summed(standard * standard) / number
        scatter = summed((level * level).astype(np.float64)) - summed(level) ** 2 / number
        should = summed(found.mean * found.mean) - summed(found.mean) ** 2 / number + variance
        spread = np.sqrt(np.maximum(scatter, 0.0) / should)
        in_sitting = sums(design.sitting, standard, len(design.owner))
        products = in_sitting**2 - sums(design.sitting, standard * standard, len(design.owner))
        halo = sums(design.owner, products, design.raters) / 2 / design.halves
    return Fit(infit, outfit, spread, halo, agreement_from(design, level))


def agreement_from(design: Design, level: Ints) -> Floats:
    """By rater: the correlation of the own scores with the mean of the others' on the same case and criterion; NaN below
    three comparisons or where either does not vary. Dissent is protected: a low value is a reason to look, no more."""
    total = sums(design.cell, level, len(design.cells))
    own = level[design.shared].astype(np.float64)
    others = (total[design.cell[design.shared]] - own) / design.others
    rater, raters, count = design.rater[design.shared], design.raters, design.compared

    def summed(values: Floats) -> Floats:
        return sums(rater, values, raters)

    with np.errstate(invalid="ignore", divide="ignore"):
        one, two = summed(own), summed(others)
        product = summed(own * others) - one * two / count
        size = (summed(own * own) - one**2 / count) * (summed(others * others) - two**2 / count)
        return np.asarray(np.where((count >= 3) & (size > 1e-9), product / np.sqrt(size), np.nan))
