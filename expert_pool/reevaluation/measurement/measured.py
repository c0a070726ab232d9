"""What is measured of every rater, with its error, and what stands out: the whole of it in one call.

A flag asks somebody to look. It says that a figure is unlikely to be chance, never why it is so, and it decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from expert_pool.reevaluation.measurement.agreement import Alpha, Metric, alphas
from expert_pool.reevaluation.measurement.estimating import Estimate, estimated
from expert_pool.reevaluation.measurement.linking import Overlap, overlaps_wanted
from expert_pool.reevaluation.measurement.rater_figures import Figures, figures_of
from expert_pool.reevaluation.measurement.ratings import Ratings
from expert_pool.reevaluation.measurement.standard_order import in_standard_order
from expert_pool.reevaluation.measurement.testing import Flag, flags_of
from solver.errors import Fault
from solver.facts import Floats, Mask
from solver.progress import Progress, Reporter, silent


@dataclass(frozen=True, slots=True)
class Component:
    """One linked set of raters: severities are compared within it only. `spread`: the standard deviation of true severities
    in logits; `reliability`: the part of the differences between estimates that is not error; `alike`: the p of "all are
    equally severe". None with fewer than two raters measured."""

    number: int
    raters: int
    measured: int
    cases: int
    scores: int
    spread: float | None
    reliability: float | None
    alike: float | None


@dataclass(frozen=True, slots=True)
class Common:
    """How much milder raters in general are with their own (employer, region, sector): `severer` in logits (negative:
    milder), its error, cases on both sides, p."""

    kind: str
    severer: float | None
    error: float | None
    own: int
    others: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything found. `named` is the scale's code, `elsewhere` how many scores were on other scales. `raters` in the
    order of their codes; `replications` are those that were done (none where nobody has scores enough), `stopped`
    whether they ended early; `bounds` the first and last score of each level the model works on."""

    named: str
    scale: tuple[int, int]
    elsewhere: int
    bounds: tuple[tuple[int, int], ...]
    thresholds: tuple[float, ...]
    criteria: Mapping[str, float]
    at_least: int
    rate: int
    seed: int
    replications: int
    stopped: bool
    settled: bool
    scores: int
    cases: int
    agreement: Mapping[Metric, Alpha]
    raters: tuple[Figures, ...]
    components: tuple[Component, ...]
    bridges: tuple[tuple[str, str], ...]
    overlaps: tuple[tuple[tuple[str, ...], int], ...]
    common: tuple[Common, ...]
    tests: int
    flags: tuple[Flag, ...]
    _by_code: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    def of(self, rater: str) -> Figures | None:
        """What is known of one rater; None for somebody without a score."""
        place = self._by_code.get(rater)
        return None if place is None else self.raters[place]

    def flags_of(self, rater: str) -> tuple[Flag, ...]:
        """The flags of one rater."""
        return tuple(flag for flag in self.flags if flag.rater == rater)

    @property
    def connected(self) -> bool:
        """Whether all raters with scores can be compared with each other."""
        return len(self.components) == 1 and all(rater.component == 0 for rater in self.raters)

    def document(self) -> dict[str, Any]:
        """The same as `measurement/1`."""
        from expert_pool.reevaluation.measurement.document import written

        return written(self)


def measure(
    ratings: Ratings,
    *,
    at_least: int = 30,
    rate: int = 5,
    seed: int = 0,
    replications: int = 0,
    own: Mapping[str, Mask] | None = None,
    cancelled: Callable[[], bool] | None = None,
    report: Reporter | None = None,
) -> Measured:
    """Measure everybody.

    `at_least`: scores below which a rater gets no figures and no flag. `rate`: per cent of false flags accepted among all
    flags. `replications`: of the bootstrap, for intervals and for the chance of fit; without, no fit is flagged, since fixed
    cut-offs are unsafe. `own`: by kind (employer, region, sector) the scores given to cases of the rater's own; by default as
    the ratings have it. The same arguments give the same answer, whatever cases, raters and criteria are called and in whatever
    order the scores come. Where no rater has figures, the scale has none either: no thresholds, no difficulties.

    Raises Fault `measurement.at_least` and `measurement.rate` (1 to 50), `measurement.replications` (0 or 20 and more).
    """
    if at_least < 2:
        raise Fault("measurement.at_least", at_least=at_least)
    if not 1 <= rate <= 50:
        raise Fault("measurement.rate", rate=rate)
    if 0 < replications < 20 or replications < 0:
        raise Fault("measurement.replications", replications=replications)
    told, stop = report or silent, cancelled or (lambda: False)
    told(Progress("measurement", done=0, total=replications or None))
    ratings = in_standard_order(ratings if own is None else replace(ratings, own=own))
    found = estimated(ratings, seed=seed)
    figures, tests = figures_of(
        ratings,
        found,
        at_least=at_least,
        seed=seed,
        replications=replications,
        own=ratings.own,
        cancelled=stop,
        report=told,
    )
    flags = flags_of(figures.raters, tests, rate=rate / 100, worth=(ratings.high - ratings.low) / 8)
    raters = tuple(sorted(figures.raters, key=lambda one: one.rater))
    known = any(one.why is None for one in raters)
    criteria = sorted(zip(ratings.criteria, found.criteria.value.tolist(), strict=True)) if known else []
    return Measured(
        named=ratings.scale,
        scale=(ratings.low, ratings.high),
        elsewhere=ratings.elsewhere,
        bounds=found.condensed.bounds,
        thresholds=tuple(found.raters.thresholds.tolist()) if known else (),
        criteria=dict(criteria),
        at_least=at_least,
        rate=rate,
        seed=seed,
        replications=figures.done,
        stopped=figures.done < replications and known,
        settled=found.raters.settled,
        scores=len(ratings),
        cases=len(np.unique(ratings.case)),
        agreement=alphas(found.ratings, values=found.condensed.values, rounds=figures.done, seed=seed),
        raters=raters,
        components=_components(found, figures.raters),
        bridges=tuple(sorted(_named(ratings, pair) for pair in found.linking.bridges)),
        overlaps=_overlaps(ratings, found),
        common=tuple(_common(kind, one) for kind, one in figures.common.items()),
        tests=sum(int((~np.isnan(test.p)).sum()) for test in tests),
        flags=tuple(sorted(flags, key=lambda flag: flag.rater)),
        _by_code={one.rater: place for place, one in enumerate(raters)},
    )


def _components(found: Estimate, raters: tuple[Figures, ...]) -> tuple[Component, ...]:
    ratings, part = found.ratings, found.linking.part
    of_score = part[ratings.rater]
    components = []
    for number, size in enumerate(found.linking.sizes):
        here = of_score == number
        known = [one for one in raters if one.component == number and one.severity is not None]
        value = np.array([one.severity for one in known], dtype=np.float64)
        error = np.array([one.error for one in known], dtype=np.float64)
        components.append(
            Component(
                number,
                size,
                len(known),
                len(np.unique(ratings.case[here])),
                int(here.sum()),
                *_apart(value, error),
            )
        )
    return tuple(components)


def _apart(value: Floats, error: Floats) -> tuple[float | None, float | None, float | None]:
    """Spread, reliability and the p that all are alike, by the chi-square of the weighted differences (as normal, Wilson &
    Hilferty 1931)."""
    if len(value) < 2:
        return None, None, None
    from expert_pool.reevaluation.measurement.deciding import upper

    weight = 1 / error**2
    mean = float(weight @ value / weight.sum())
    square = float(weight @ (value - mean) ** 2)
    freedom = len(value) - 1
    scale = float(weight.sum() - (weight @ weight) / weight.sum())
    true = max(0.0, (square - freedom) / scale) if scale > 0 else 0.0
    z = ((square / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / (2 / (9 * freedom)) ** 0.5
    return float(true**0.5), float(true / (true + np.mean(error**2))), upper(z)


def _overlaps(ratings: Ratings, found: Estimate) -> tuple[tuple[tuple[str, ...], int], ...]:
    scored = np.bincount(found.ratings.rater, minlength=len(ratings.raters))
    together = np.unique(found.ratings.case * len(ratings.raters) + found.ratings.rater)
    per_case = int(np.median(np.bincount(together // len(ratings.raters))[np.unique(ratings.case)]))
    meetings = len(np.unique(found.graph.edge * len(ratings.cases) + found.pairs.case)) or 1
    information = float((found.pairs.weight * found.information).sum()) / meetings or 1.0
    wanted: list[Overlap] = overlaps_wanted(
        found.linking, scored, per_case=max(2, per_case), information=information
    )
    return tuple((tuple(ratings.raters[j] for j in one.raters), one.cases) for one in wanted)


def _named(ratings: Ratings, pair: tuple[int, int]) -> tuple[str, str]:
    one, two = sorted(ratings.raters[rater] for rater in pair)
    return one, two


def _common(kind: str, one: Any) -> Common:
    def number(values: Floats) -> float | None:
        return None if np.isnan(values[0]) else float(values[0])

    return Common(
        kind, number(one.severer), number(one.error), int(one.inside[0]), int(one.outside[0]), number(one.p)
    )
