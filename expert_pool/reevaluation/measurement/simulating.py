"""The replications of one measurement, put to use: intervals of severities, and the chance of every rater's fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from expert_pool.reevaluation.measurement.estimating import Estimate
from expert_pool.reevaluation.measurement.expected import Facets
from expert_pool.reevaluation.measurement.fit import MEASURES, Design, Fit
from expert_pool.reevaluation.measurement.replications import (
    LEAST,
    Settled,
    chances,
    evened,
    repeated,
    resampled,
    simulated,
)
from expert_pool.reevaluation.measurement.severity import Tables
from solver.facts import Floats, Ints
from solver.progress import Reporter

SIDES = {"infit": 0, "outfit": 1, "spread": -1, "halo": 1, "agreement": -1}
"""On which side a measure calls for a look: both, high, low."""
BOTH_ENDS = 1.959963984540054
"""95 % of normal values lie within it."""


@dataclass(frozen=True, slots=True)
class Chance:
    """By measured rater: p of every measure, what is `usual` for the same cases, and the bootstrap interval of severity;
    empty and None without enough replications. `done` replications were completed."""

    p: Mapping[str, Floats]
    usual: Mapping[str, Floats]
    low: Floats | None
    high: Floats | None
    done: int

    def interval(self, place: int, value: float, error: float, cases: int) -> tuple[float, float]:
        """95 % of a severity: of few cases wider, by Student's t and since resampled cases scatter too little."""
        freedom = max(1, cases - 1)
        wide = students(freedom)
        if self.low is None or self.high is None:
            return value - wide * error, value + wide * error
        part = wide / BOTH_ENDS * (freedom + 1) / freedom
        return (
            value + part * (float(self.low[place]) - value),
            value + part * (float(self.high[place]) - value),
        )


def simulated_chances(
    found: Estimate,
    design: Design,
    fit: Fit,
    measured: Ints,
    *,
    seed: int,
    rounds: int,
    cancelled: Callable[[], bool],
    report: Reporter,
) -> Chance:
    """`rounds` replications of both kinds, for the raters measured. Abilities and severities to simulate from are drawn
    together as far as their errors have driven them apart, so that simulated scores scatter as much as real ones."""
    if not rounds or not len(measured):
        return Chance({}, {}, None, None, 0)
    settled = _settled(found, design, seed)
    drawn = repeated(resampled(settled), rounds, phase="resampling", report=report, cancelled=cancelled)
    again = [severity[measured].astype(np.float32) for severity in drawn]
    made: dict[str, list[Floats]] = {name: [] for name in MEASURES}
    for one in repeated(
        simulated(_evened_out(settled, found)), rounds, phase="fit", report=report, cancelled=cancelled
    ):
        for name in MEASURES:
            made[name].append(evened(name, getattr(one, name)[measured]).astype(np.float32))
    done = len(made["infit"])
    low = high = None
    if len(again) >= LEAST:
        low, high = np.percentile(np.array(again), [2.5, 97.5], axis=0)
    if done < LEAST:
        return Chance({}, {}, low, high, done)
    p, usual = {}, {}
    for name in MEASURES:
        table = np.array(made.pop(name))
        real = getattr(fit, name)[measured]
        p[name] = chances(evened(name, real), table, design.number[measured], side=SIDES[name])
        usual[name] = _back(name, np.median(table, axis=0))
    return Chance(p, usual, low, high, done)


def students(freedom: int) -> float:
    """The value of Student's t beyond which 2.5 % lie, by the expansion of Cornish and Fisher; a thousandth off from three
    degrees of freedom on is nothing here."""
    z = BOTH_ENDS
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _back(name: str, values: Floats) -> Floats:
    """What `evened` did, undone."""
    if name in ("infit", "outfit"):
        return np.asarray(values**3)
    return np.asarray(np.tanh(values)) if name == "agreement" else values


def _settled(found: Estimate, design: Design, seed: int) -> Settled:
    ratings = found.ratings
    part = np.full(len(ratings.cases), -1, dtype=np.int64)
    part[ratings.case] = found.linking.part[ratings.rater]
    return Settled(
        ratings,
        found.pairs,
        found.graph,
        found.facets,
        found.ability,
        design,
        Tables.of(found.raters.thresholds),
        part - part.min(),
        seed,
    )


def _evened_out(settled: Settled, found: Estimate) -> Settled:
    ratings, case = settled.ratings, settled.ratings.case
    information = np.bincount(case, found.residuals.variance, len(ratings.cases))
    facets, known = settled.facets, found.raters.pairs > 0
    ability = _drawn_together(settled.ability, 1 / np.sqrt(np.maximum(information, 0.1)))
    severity = facets.severity.copy()
    severity[known] = _drawn_together(severity[known], found.raters.error[known])
    return replace(settled, ability=ability, facets=Facets(severity, facets.difficulty, facets.curves))


def _drawn_together(value: Floats, error: Floats) -> Floats:
    """Values about their mean with the variance that is left without their errors."""
    total = float(np.var(value))
    true = max(total - float(np.mean(error**2)), 0.05 * total)
    return np.asarray(value.mean() + (value - value.mean()) * np.sqrt(true / total)) if total else value
