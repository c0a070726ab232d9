"""From scores to estimates: who is linked with whom, severities, difficulties, thresholds, abilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.condensing import Condensed, condensed
from expert_pool.reevaluation.measurement.curves import Curves
from expert_pool.reevaluation.measurement.expected import Facets, Residuals, abilities, residuals
from expert_pool.reevaluation.measurement.graph import Graph
from expert_pool.reevaluation.measurement.linking import Linking, linking
from expert_pool.reevaluation.measurement.pairs import Pairs, criterion_pairs, rater_pairs
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.reevaluation.measurement.severity import Offsets, Point, Tables, offsets_of
from solver.facts import Floats

MANY = 100
"""From so many raters on the thresholds are freed of the bias that many estimates beside them give."""
ROUGH = 2e-3
"""Logits: as close as the halves of the data need be estimated."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """All estimates of one set of scores. `pairs` are sorted by the edges of `graph`; `told` and `information` are by pair
    the mean and the variance of its first score, given the sum of both."""

    condensed: Condensed
    pairs: Pairs
    graph: Graph
    linking: Linking
    raters: Offsets
    criteria: Offsets
    facets: Facets
    ability: Floats
    residuals: Residuals
    told: Floats
    information: Floats

    @property
    def ratings(self) -> Ratings:
        return self.condensed.ratings


def estimated(ratings: Ratings, *, seed: int = 0) -> Estimate:
    """The estimates. `seed` decides which cases belong to which half of the data."""
    scale = condensed(ratings)
    used = scale.ratings
    pairs = rater_pairs(used)
    raters = _severities(pairs, used, seed)
    criteria = offsets_of(criterion_pairs(used), len(used.criteria), used.steps, thresholds=raters.thresholds)
    facets = Facets(raters.value, criteria.value, Curves.of(raters.thresholds))
    ability = abilities(used, facets)
    graph, pairs = Graph.of(pairs, len(used.raters))
    point = Point.at(pairs, graph, raters.value, Tables.of(raters.thresholds))
    return Estimate(
        scale,
        pairs,
        graph,
        linking(pairs, len(used.raters)),
        raters,
        criteria,
        facets,
        ability,
        residuals(used, facets, ability),
        point.mean,
        point.variance,
    )


def _severities(pairs: Pairs, ratings: Ratings, seed: int) -> Offsets:
    """With many raters, each estimated from few scores, thresholds come out too far apart, by about one part in the number
    of scores a rater has. In half of the cases the bias is twice as large: so twice the whole less the mean of the halves
    is free of it (split-panel jackknife, Dhaene & Jochmans 2015)."""
    count, steps = len(ratings.raters), ratings.steps
    whole = offsets_of(pairs, count, steps)
    if count < MANY or steps < 2 or not len(pairs):
        return whole
    first = np.random.default_rng([seed, 4]).random(len(ratings.cases)) < 0.5
    halves = [
        offsets_of(
            pairs.taken(np.flatnonzero(first[pairs.case] == side)), count, steps, start=whole, close=ROUGH
        )
        for side in (True, False)
    ]
    thresholds = 2 * whole.thresholds - (halves[0].thresholds + halves[1].thresholds) / 2
    return offsets_of(pairs, count, steps, thresholds=thresholds, start=whole)
