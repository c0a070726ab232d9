"""Two scores that share all but one facet, and what is left of them once the shared part is out of the way.

Under the many-facet Rasch model (Linacre 1989) the probability of level k is proportional to
exp(k (ability - difficulty - severity) - (t1 + ... + tk)). Given the sum of two scores of one case on one criterion,
ability and difficulty cancel, and only the difference of the two raters' severities and the thresholds t remain (Andersen
1970; pairwise: Choppin 1968, Zwinderman 1995). So nothing about the cases need be assumed or estimated, and the bias of
joint estimation does not arise. Two criteria scored by one rater in one case are compared in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats, Ints


@dataclass(frozen=True, slots=True)
class Pairs:
    """P pairs: the two compared (indices of raters, or of criteria), the level of each, the case they come from, and a
    weight. c scores that share the rest make c (c - 1) / 2 pairs but tell only c - 1 differences, hence 2 / c. `one` and
    `two` are the places of the two scores among the ratings."""

    first: Ints
    second: Ints
    gave: Ints
    other: Ints
    case: Ints
    weight: Floats
    one: Ints
    two: Ints

    def __len__(self) -> int:
        return len(self.gave)

    def taken(self, order: Ints) -> Pairs:
        """The pairs in another order."""
        fields = (self.first, self.second, self.gave, self.other, self.case, self.weight)
        return Pairs(*(field[order] for field in (*fields, self.one, self.two)))  # type: ignore[arg-type]


def rater_pairs(ratings: Ratings) -> Pairs:
    """Every two raters' scores of the same case on the same criterion."""
    return _pairs(ratings, ratings.case * len(ratings.criteria) + ratings.criterion, ratings.rater)


def criterion_pairs(ratings: Ratings) -> Pairs:
    """Every two criteria's scores by the same rater of the same case."""
    return _pairs(ratings, ratings.case * len(ratings.raters) + ratings.rater, ratings.criterion)


def _pairs(ratings: Ratings, shared: Ints, compared: Ints) -> Pairs:
    order = np.argsort(shared, kind="stable")
    starts = np.flatnonzero(np.diff(shared[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    one = two = np.zeros(0, dtype=np.int64)
    weight = np.zeros(0)
    for size in np.unique(sizes[sizes > 1]).tolist():
        left, right = np.triu_indices(size, 1)
        base = starts[sizes == size][:, None]
        one = np.concatenate([one, (base + left).ravel()])
        two = np.concatenate([two, (base + right).ravel()])
        weight = np.concatenate([weight, np.full(base.size * len(left), 2.0 / size)])
    one, two = order[one], order[two]
    return Pairs(
        compared[one],
        compared[two],
        ratings.level[one],
        ratings.level[two],
        ratings.case[one],
        weight,
        one,
        two,
    )


def splits(thresholds: Floats) -> Floats:
    """(2m + 1, m + 1): the log weight of the first score being a when both sum to s and severities are alike; -inf where
    that cannot be."""
    levels = len(thresholds) + 1
    passed = np.concatenate([[0.0], np.cumsum(thresholds)])
    weights = np.full((2 * levels - 1, levels), -np.inf)
    for first in range(levels):
        weights[np.arange(levels) + first, first] = -passed[first] - passed
    return weights


def split_chances(weights: Floats, sums: Ints, difference: Floats) -> tuple[Floats, Floats]:
    """(N, m + 1): the chance of each first score, given the sum of both and the difference of severities (first minus
    second); and the log of what normalises it."""
    level = np.arange(weights.shape[1], dtype=np.float64)
    logits = weights[sums] - difference[:, None] * level
    top = logits.max(axis=1)
    mass = np.exp(logits - top[:, None])
    total = mass.sum(axis=1)
    return mass / total[:, None], np.log(total) + top
