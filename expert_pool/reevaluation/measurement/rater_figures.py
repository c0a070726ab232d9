"""By rater: every figure with its error, or the reason why there is none; and the tests that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from expert_pool.reevaluation.measurement.contrasts import Contrast, Sittings, contrast, sittings_of
from expert_pool.reevaluation.measurement.deciding import shrunk, standing_out, two_sided
from expert_pool.reevaluation.measurement.estimating import Estimate
from expert_pool.reevaluation.measurement.expected import fair_averages
from expert_pool.reevaluation.measurement.fit import MEASURES, Design, Fit, fit_from
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.reevaluation.measurement.simulating import Chance, simulated_chances
from solver.facts import Floats, Ints, Mask
from solver.progress import Reporter

FEWEST_RATERS = 10
"""Raters of a linked set below which nobody can stand out from the others in severity."""


@dataclass(frozen=True, slots=True)
class Change:
    """Against what was expected: logits `severer` (negative: milder), its error, how many score points that makes, cases on
    both sides, p. Of a period: against all before it."""

    severer: float
    error: float
    points: float
    cases: int
    others: int
    p: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one rater. `why`: the reason why there are no figures (`measurement.alone`, `.few`, `.alike`), else None.

    `severity` in logits (higher: gives less; 0 is the mean of the linked set `component`), `error` its standard error,
    `low`..`high` hold 95 % of the bootstrap (without: of a normal curve), `shrunk` is pulled to the mean as far as it is
    uncertain; `average` is the mean score given, `fair_average` what it would be had all seen the same cases. `infit` ...
    `agreement` as in `fit.Fit`; `chances` are their p, by measure, from simulation. `drift` by year, `own` by kind.
    """

    rater: str
    scores: int
    cases: int
    component: int | None
    why: str | None
    average: float
    severity: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    shrunk: float | None = None
    fair_average: float | None = None
    infit: float | None = None
    outfit: float | None = None
    spread: float | None = None
    halo: float | None = None
    agreement: float | None = None
    chances: Mapping[str, float] | None = None
    drift: Mapping[int, Change] | None = None
    own: Mapping[str, Change] | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """One kind of test of some raters (indices): the two kinds of flag it may raise (low side, high side) by `side`, its p,
    the figures to show with a flag, and the difference in score `points` where it has one."""

    kinds: tuple[str, str]
    side: Floats
    rater: Ints
    p: Floats
    figures: Mapping[str, Floats]
    points: Floats | None = None
    period: int | None = None

    def kind_at(self, place: int) -> str:
        """The kind of flag at a place."""
        return self.kinds[int(self.side[place] > 0)]


@dataclass(frozen=True, slots=True)
class Found:
    """All figures, the pooled contrasts by kind, and how many replications were done."""

    raters: tuple[Figures, ...]
    common: Mapping[str, Contrast]
    done: int


def figures_of(
    ratings: Ratings,
    found: Estimate,
    *,
    at_least: int,
    seed: int,
    replications: int,
    own: Mapping[str, Mask],
    cancelled: Callable[[], bool],
    report: Reporter,
) -> tuple[Found, list[Test]]:
    """The figures of every rater with a score, and the tests. `ratings` are the scores as they were given."""
    raters = len(ratings.raters)
    scores = np.bincount(ratings.rater, minlength=raters)
    design = Design.of(found.ratings)
    told = np.bincount(found.pairs.first, found.information, raters)
    told += np.bincount(found.pairs.second, found.information, raters)
    part = found.linking.part
    measured = np.flatnonzero((scores >= at_least) & (part >= 0) & (told > 1e-6))
    fit = fit_from(design, found.ratings.level, found.residuals)
    chance = simulated_chances(
        found, design, fit, measured, seed=seed, rounds=replications, cancelled=cancelled, report=report
    )
    sittings = sittings_of(found.ratings, found.pairs, found.told, found.information)
    points = _points(found, scores)
    changes = _drift(sittings, raters) | {
        kind: contrast(sittings, raters, sittings.chosen(mask)) for kind, mask in own.items()
    }
    together = replace(sittings, rater=np.zeros_like(sittings.rater))
    common = {kind: contrast(together, 1, sittings.chosen(mask)) for kind, mask in own.items()}
    fair = fair_averages(found.facets, found.ability, found.condensed.values)
    figures = _figures(ratings, found, design, fit, chance, changes, measured, fair, points, at_least)
    tests = _severity_tests(found, measured, fair)
    tests += _fit_tests(fit, chance, measured)
    tests += _change_tests(changes, measured, points)
    return Found(figures, common, chance.done), tests


def _drift(sittings: Sittings, raters: int) -> dict[str | int, Contrast]:
    """By year but the first: that year against all before."""
    years = np.unique(sittings.period)[1:].tolist()
    return {
        year: contrast(sittings, raters, sittings.period == year, sittings.period < year) for year in years
    }


def _points(found: Estimate, scores: Ints) -> Floats:
    """By rater how many score points one logit of severity makes, at the cases this rater had."""
    values = found.condensed.values
    width = float(values[-1] - values[0]) / max(1, len(values) - 1)
    variance = np.bincount(found.ratings.rater, found.residuals.variance, len(scores))
    return np.asarray(width * variance / np.maximum(scores, 1))


def _severity_tests(found: Estimate, measured: Ints, fair: Floats) -> list[Test]:
    tests = []
    for number in range(len(found.linking.sizes)):
        here = measured[found.linking.part[measured] == number]
        if len(here) < FEWEST_RATERS:
            continue
        value, error = found.raters.value[here], found.raters.error[here]
        z, middle, _ = standing_out(value, error)
        average = fair[here] - float(np.median(fair[here]))
        figures = {"severity": value, "error": error, "middle": np.full(len(here), middle), "points": average}
        tests.append(Test(("mild", "severe"), z, here, two_sided(z), figures, average))
    return tests


def _fit_tests(fit: Fit, chance: Chance, measured: Ints) -> list[Test]:
    kinds = {
        "infit": ("even", "erratic"),
        "outfit": ("surprising", "surprising"),
        "spread": ("central", "central"),
        "halo": ("halo", "halo"),
        "agreement": ("apart", "apart"),
    }
    tests = []
    for name, p in chance.p.items():
        value = getattr(fit, name)[measured]
        usual = chance.usual[name]
        tests.append(Test(kinds[name], value - usual, measured, p, {name: value, "usual": usual}))
    return tests


def _change_tests(changes: Mapping[str | int, Contrast], measured: Ints, points: Floats) -> list[Test]:
    tests = []
    for key, one in changes.items():
        severer = one.severer[measured]
        points_apart = -severer * points[measured]
        figures = {
            "severer": severer,
            "error": one.error[measured],
            "points": points_apart,
            "inside": one.inside[measured].astype(np.float64),
        }
        kind, period = ("drift", key) if isinstance(key, int) else (f"own_{key}", None)
        tests.append(Test((kind, kind), severer, measured, one.p[measured], figures, points_apart, period))
    return tests


def _figures(
    ratings: Ratings,
    found: Estimate,
    design: Design,
    fit: Fit,
    chance: Chance,
    changes: Mapping[str | int, Contrast],
    measured: Ints,
    fair: Floats,
    points: Floats,
    at_least: int,
) -> tuple[Figures, ...]:
    raters = len(ratings.raters)
    scores = np.bincount(ratings.rater, minlength=raters)
    cases = np.bincount(design.owner, minlength=raters)
    average = np.bincount(ratings.rater, ratings.level, raters) / np.maximum(scores, 1) + ratings.low
    value, error, part = found.raters.value, found.raters.error, found.linking.part
    pulled = np.full(raters, np.nan)
    for number in range(len(found.linking.sizes)):
        here = measured[part[measured] == number]
        pulled[here] = shrunk(value[here], error[here])
    place = {int(j): number for number, j in enumerate(measured.tolist())}
    whole = []
    for j in np.flatnonzero(scores).tolist():
        base = Figures(
            ratings.raters[j],
            int(scores[j]),
            int(cases[j]),
            int(part[j]) if part[j] >= 0 else None,
            None,
            float(average[j]),
        )
        if j not in place:
            few = scores[j] < at_least
            why = "measurement.alone" if part[j] < 0 else "measurement.few" if few else "measurement.alike"
            whole.append(replace(base, why=why))
            continue
        at = place[j]
        low, high = chance.interval(at, float(value[j]), float(error[j]), int(cases[j]))
        fits: dict[str, Any] = {name: _known(getattr(fit, name)[j]) for name in MEASURES}
        whole.append(
            replace(
                base,
                severity=float(value[j]),
                error=float(error[j]),
                low=low,
                high=high,
                shrunk=float(pulled[j]),
                fair_average=float(fair[j]),
                **fits,
                chances={name: float(p[at]) for name, p in chance.p.items() if not np.isnan(p[at])},
                drift={key: one for key, one in _changes(changes, j, points) if isinstance(key, int)},
                own={key: one for key, one in _changes(changes, j, points) if isinstance(key, str)},
            )
        )
    return tuple(whole)


def _changes(changes: Mapping[str | int, Contrast], j: int, points: Floats) -> list[tuple[str | int, Change]]:
    found = []
    for key, one in changes.items():
        if not np.isnan(one.p[j]):
            severer = float(one.severer[j])
            change = Change(
                severer,
                float(one.error[j]),
                -severer * float(points[j]),
                int(one.inside[j]),
                int(one.outside[j]),
                float(one.p[j]),
            )
            found.append((key, change))
    return found


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
