"""The scale as it is used: levels that nobody gave are left out, and a scale of very many is cut into classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.ratings import Ratings
from solver.facts import Floats

MOST = 12
"""So many levels are kept as they are. More have too few scores each for thresholds of their own."""
CLASSES = 10


@dataclass(frozen=True, slots=True)
class Condensed:
    """`ratings` on levels that are all in use, numbered from 0; `values[k]` is the score level k stands for (the mean of a
    class), `bounds[k]` its first and last score."""

    ratings: Ratings
    values: Floats
    bounds: tuple[tuple[int, int], ...]

    @property
    def joined(self) -> bool:
        """Whether scores were put together in classes."""
        return any(low < high for low, high in self.bounds)


def condensed(ratings: Ratings) -> Condensed:
    """The same scores on the levels in use, as in Linacre's programs; of more than `MOST` levels, classes of about as many
    scores each."""
    count = np.bincount(ratings.level, minlength=ratings.steps + 1)
    used = np.flatnonzero(count)
    group = np.arange(len(used))
    if len(used) > MOST:
        before = np.cumsum(count[used]) - count[used] / 2
        _, group = np.unique((before / len(ratings) * CLASSES).astype(np.int64), return_inverse=True)
    classes = int(group.max(initial=0)) + 1
    weight = np.bincount(group, count[used], classes)
    values = np.bincount(group, count[used] * (used + ratings.low), classes) / np.maximum(weight, 1)
    place = np.zeros(ratings.steps + 1, dtype=np.int64)
    place[used] = group
    inside = [used[group == number] + ratings.low for number in range(classes)]
    bounds = tuple((int(scores[0]), int(scores[-1])) for scores in inside)
    fields = (ratings.case, ratings.rater, ratings.criterion, place[ratings.level], ratings.period)
    names = (ratings.cases, ratings.raters, ratings.criteria)
    return Condensed(Ratings(*names, 0, classes - 1, *fields), np.asarray(values), bounds)
