"""Whether a rater is milder with some cases than with the others: with those of one period, or of the own employer.

Every pair of scores tells, given their sum, how much more one rater gave than the other than their severities explain. Summed
by rater and case and divided by the information in it, this is one step from "no difference" towards the difference in
logits (a score test, Rao 1948). Cases are compared as wholes, since criteria of one case hang together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.deciding import as_normal, two_sided
from expert_pool.reevaluation.measurement.pairs import Pairs
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.reevaluation.measurement.sums import sums
from solver.facts import Floats, Ints, Mask

FEWEST = 6
"""Cases on either side below which nothing is tested."""


@dataclass(frozen=True, slots=True)
class Sittings:
    """What every rater's every case tells: `rater`, its `period`, `more` (how much more was given than expected, in levels)
    and `information`; `place` is by score the sitting it belongs to."""

    rater: Ints
    period: Ints
    more: Floats
    information: Floats
    place: Ints

    def chosen(self, mask: Mask) -> Mask:
        """Sittings of which a score is marked."""
        found = np.zeros(len(self.rater), dtype=bool)
        found[self.place[mask]] = True
        return found


@dataclass(frozen=True, slots=True)
class Contrast:
    """By rater: how many logits severer with the chosen cases than with the others, its standard error, the numbers of
    cases on both sides and the two-sided p; NaN where either side has too few."""

    severer: Floats
    error: Floats
    inside: Ints
    outside: Ints
    p: Floats


def sittings_of(ratings: Ratings, pairs: Pairs, mean: Floats, variance: Floats) -> Sittings:
    """The sittings. `mean` and `variance` are those of each pair's first score, given the sum."""
    raters = len(ratings.raters)
    keys, first, place = np.unique(
        ratings.case * raters + ratings.rater, return_index=True, return_inverse=True
    )
    more = pairs.weight * (pairs.gave - mean)
    heavy = pairs.weight * variance
    ends = (place[pairs.one], place[pairs.two])
    told = sums(ends[0], more, len(keys)) - sums(ends[1], more, len(keys))
    information = sums(ends[0], heavy, len(keys)) + sums(ends[1], heavy, len(keys))
    return Sittings(keys % raters, ratings.period[first], told, information, place)


def contrast(sittings: Sittings, raters: int, chosen: Mask, others: Mask | None = None) -> Contrast:
    """The chosen sittings of every rater against the `others` (by default all that are not chosen). Student's t with
    Welch's degrees of freedom; an error is never taken as smaller than what scores independent of each other would have."""
    rest = ~chosen if others is None else others
    here, there = (_side(sittings, raters, side) for side in (chosen, rest))
    severer = there.milder - here.milder
    error = np.sqrt(here.square + there.square)
    enough = (here.count >= FEWEST) & (there.count >= FEWEST) & np.isfinite(error)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = (here.square + there.square) ** 2 / (
            here.square**2 / (here.count - 1) + there.square**2 / (there.count - 1)
        )
        p = two_sided(as_normal(severer / error, freedom))
    unknown = np.where(enough, 0.0, np.nan)
    return Contrast(severer + unknown, error + unknown, here.count, there.count, p + unknown)


@dataclass(frozen=True, slots=True)
class _Side:
    milder: Floats
    square: Floats
    count: Ints


def _side(sittings: Sittings, raters: int, chosen: Mask) -> _Side:
    chosen = chosen & (sittings.information > 0)
    rater = sittings.rater[chosen]
    more, information = sittings.more[chosen], sittings.information[chosen]
    count = np.bincount(rater, minlength=raters)
    total = sums(rater, information, raters)
    with np.errstate(invalid="ignore", divide="ignore"):
        milder = sums(rater, more, raters) / total
        off = sums(rater, (more - milder[rater] * information) ** 2, raters)
        square = np.maximum(off * count / (count - 1) / total**2, 1 / total)
    return _Side(milder, square, count)
