"""Severities, links, fit and agreement, against enumeration, a slow second estimator, published values and simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert_pool.reevaluation.measurement.agreement import against_others, alpha
from expert_pool.reevaluation.measurement.curves import Curves, chances_at, read
from expert_pool.reevaluation.measurement.deciding import discoveries, shrunk
from expert_pool.reevaluation.measurement.expected import Facets, abilities, fair_averages, residuals
from expert_pool.reevaluation.measurement.fit import fit_of, judged
from expert_pool.reevaluation.measurement.linking import linking, overlaps_wanted
from expert_pool.reevaluation.measurement.pairs import criterion_pairs, rater_pairs, split_chances, splits
from expert_pool.reevaluation.measurement.ratings import Rating, Ratings, ratings_of
from expert_pool.reevaluation.measurement.severity import SPREAD, offsets_of
from solver.errors import Fault
from solver.facts import Floats


def made(
    cases: int, raters: int, *, per_case: int = 3, criteria: int = 3, spread: float = 0.5, seed: int = 1
) -> tuple[Ratings, Facets, Floats]:
    """Ratings on a scale of 1..5 as the model gives them, with the facets and abilities behind them."""
    random = np.random.default_rng(seed)
    facets = Facets(
        random.normal(0, spread, raters),
        np.linspace(-0.4, 0.4, criteria),
        Curves.of(np.array([-1.6, -0.5, 0.5, 1.6])),
    )
    ability = random.normal(0.3, 1.2, cases)
    rows = [
        (case, int(rater), criterion)
        for case in range(cases)
        for rater in sorted(random.choice(raters, per_case, replace=False))
        for criterion in range(criteria)
    ]
    case, rater, criterion = np.array(sorted(rows, key=lambda r: (r[0], r[2], r[1]))).T
    place = ability[case] - facets.severity[rater] - facets.difficulty[criterion]
    level = facets.curves.scores(place, random)
    codes = [tuple(f"{name}{i:05d}" for i in range(n)) for name, n in (("C", cases), ("R", raters))]
    named = tuple(f"K{i}" for i in range(criteria))
    return (
        Ratings(codes[0], codes[1], named, 1, 5, case, rater, criterion, level, np.zeros_like(level)),
        facets,
        ability,
    )


def test_given_the_sum_only_the_difference_of_severities_matters() -> None:
    """The chance of a split is that of enumeration, whatever the ability of the case."""
    thresholds = np.array([-1.0, 0.2, 0.8])
    for ability, total in product((-2.0, 0.0, 3.0), range(7)):
        joint = np.zeros(4)
        for a in range(max(0, total - 3), min(3, total) + 1):
            one = chances_at(np.array([ability - 0.7]), thresholds)[0, a]
            two = chances_at(np.array([ability + 0.4]), thresholds)[0, total - a]
            joint[a] = one * two
        found, _ = split_chances(splits(thresholds), np.array([total]), np.array([0.7 - -0.4]))
        assert found[0] == pytest.approx(joint / joint.sum())


def test_the_curves_are_those_of_the_chances() -> None:
    """Read between two points they are off by less than 1e-5 of a level."""
    thresholds = np.array([-1.5, 0.1, 1.4])
    place = np.random.default_rng(1).uniform(-7, 7, 500)
    chances, level = chances_at(place, thresholds), np.arange(4)
    curves = Curves.of(thresholds)
    before, part = curves.places(place)
    mean = chances @ level
    assert read(curves.mean, before, part) == pytest.approx(mean, abs=1e-5)
    assert read(curves.variance, before, part) == pytest.approx(
        (chances * (level - mean[:, None]) ** 2).sum(axis=1), abs=1e-5
    )
    drawn = curves.scores(np.full(20000, 0.7), np.random.default_rng(2))
    assert np.bincount(drawn) / 20000 == pytest.approx(chances_at(np.array([0.7]), thresholds)[0], abs=0.015)


def slow_severities(ratings: Ratings) -> tuple[list[float], list[float]]:
    """The same penalised likelihood written out score by score, climbed by plain gradients."""
    steps, raters = ratings.steps, len(ratings.raters)
    cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for case, criterion, rater, level in zip(
        ratings.case.tolist(),
        ratings.criterion.tolist(),
        ratings.rater.tolist(),
        ratings.level.tolist(),
        strict=True,
    ):
        cells.setdefault((case, criterion), []).append((rater, level))
    pairs = [
        (one, two, a, b, 2 / len(scores))
        for scores in cells.values()
        for at, (one, a) in enumerate(scores)
        for two, b in scores[at + 1 :]
    ]
    value, thresholds = [0.0] * raters, [0.0] * steps

    def passed(level: int) -> float:
        return sum(thresholds[:level])

    for _ in range(4000):
        slope = [-v / SPREAD**2 for v in value]
        bend = [-t / SPREAD**2 for t in thresholds]
        for one, two, a, b, weight in pairs:
            splits = range(max(0, a + b - steps), min(steps, a + b) + 1)
            mass = [np.exp(-k * (value[one] - value[two]) - passed(k) - passed(a + b - k)) for k in splits]
            total = sum(mass)
            mean = sum(k * m for k, m in zip(splits, mass, strict=True)) / total
            slope[one] += weight * (mean - a)
            slope[two] -= weight * (mean - a)
            for h in range(steps):
                expected = (
                    sum(m * ((k > h) + (a + b - k > h)) for k, m in zip(splits, mass, strict=True)) / total
                )
                bend[h] += weight * (expected - (a > h) - (b > h))
        value = [v + 0.08 * s for v, s in zip(value, slope, strict=True)]
        thresholds = [t + 0.08 * s for t, s in zip(thresholds, bend, strict=True)]
        middle = sum(thresholds) / steps
        thresholds = [t - middle for t in thresholds]
        if max(map(abs, slope)) < 1e-4 and max(abs(b - np.mean(bend)) for b in bend) < 1e-3:
            break
    return value, thresholds


def test_a_slow_second_estimator_agrees() -> None:
    """To a thousandth of a logit on a small design."""
    ratings, _, _ = made(12, 5, criteria=2, seed=4)
    found = offsets_of(rater_pairs(ratings), 5, ratings.steps)
    value, thresholds = slow_severities(ratings)
    assert found.settled
    assert found.value == pytest.approx(value, abs=1e-3)
    assert found.thresholds == pytest.approx(thresholds, abs=2e-3)


@pytest.mark.parametrize(("spread", "wanted"), [(0.5, 0.85), (1.0, 0.95)])
def test_known_severities_are_recovered(spread: float, wanted: float) -> None:
    """Some fifty scores each on five levels: nearly unbiased, errors as large as they say."""
    ratings, facets, _ = made(1100, 200, spread=spread, seed=2)
    found = offsets_of(rater_pairs(ratings), 200, ratings.steps)
    off = found.value - (facets.severity - facets.severity.mean())
    assert np.corrcoef(found.value, facets.severity)[0, 1] > wanted
    assert np.polyfit(facets.severity, found.value, 1)[0] == pytest.approx(1.0, abs=0.1)
    assert np.sqrt(np.mean((off / found.error) ** 2)) == pytest.approx(1.0, abs=0.2)
    assert found.thresholds == pytest.approx(facets.curves.thresholds, abs=0.2)
    difficulty = offsets_of(criterion_pairs(ratings), 3, ratings.steps, thresholds=found.thresholds)
    assert difficulty.value == pytest.approx(facets.difficulty, abs=0.15)


def test_abilities_and_fair_averages_follow_the_truth() -> None:
    """Cases with more scores are told apart; a rater who gives less has the lower fair average."""
    ratings, facets, ability = made(400, 30, per_case=6, seed=3)
    found = abilities(ratings, facets)
    assert np.corrcoef(found, ability)[0, 1] > 0.95
    fair = fair_averages(ratings, facets, found)
    assert np.corrcoef(fair, facets.severity)[0, 1] < -0.98
    assert ((fair > 1) & (fair < 5)).all()
    rest = residuals(ratings, facets, found)
    assert abs(float(rest.off.mean())) < 0.05


def test_scores_all_at_one_end_stay_finite() -> None:
    """Nobody is infinitely mild, and nothing is known, as the error says."""
    rows = [Rating(f"C{c}", rater, "K", 5) for c in range(4) for rater in ("A", "B", "D")]
    ratings = ratings_of(rows, low=1, high=5)
    found = offsets_of(rater_pairs(ratings), 3, ratings.steps)
    assert found.value == pytest.approx([0, 0, 0], abs=1e-6)
    assert found.error == pytest.approx([SPREAD] * 3)
    facets = Facets(found.value, np.zeros(1), Curves.of(found.thresholds))
    assert np.isfinite(abilities(ratings, facets)).all()
    assert np.isnan(alpha(ratings, "interval", rounds=10).value)


def test_linked_sets_are_told_apart_and_overlaps_named() -> None:
    """Two offices that share no case, and somebody who sat alone."""
    rows = [Rating(f"C{c}", rater, "K", c % 3) for c in range(3) for rater in ("A", "B", "C")]
    rows += [Rating(f"D{c}", rater, "K", c % 3) for c in range(3) for rater in ("P", "Q")]
    rows.append(Rating("E", "Z", "K", 1))
    ratings = ratings_of(rows, low=0, high=2)
    found = linking(rater_pairs(ratings), len(ratings.raters))
    named = dict(zip(ratings.raters, found.part.tolist(), strict=True))
    assert named == {"A": 0, "B": 0, "C": 0, "P": 1, "Q": 1, "Z": -1}
    assert found.sizes == (3, 2)
    assert not found.connected
    assert found.bridges == ((3, 4),)
    wanted = [(ratings.raters[a], ratings.raters[b]) for a, b in overlaps_wanted(found)]
    assert wanted == [("A", "P"), ("B", "Z")]
    value = offsets_of(rater_pairs(ratings), len(ratings.raters), ratings.steps).value
    assert value[:3].sum() == pytest.approx(0, abs=1e-6)
    assert value[3:5].sum() == pytest.approx(0, abs=1e-6)


def test_a_bad_rater_is_seen_and_good_ones_are_not() -> None:
    """One scores at random, one keeps to the middle, one gives a case the same mark on every criterion."""
    ratings, facets, _ = made(500, 60, criteria=4, seed=5)
    level = ratings.level.copy()
    random = np.random.default_rng(6)
    level[ratings.rater == 0] = random.integers(0, 5, int((ratings.rater == 0).sum()))
    level[ratings.rater == 1] = 2
    third = ratings.rater == 2
    level[third] = level[third & (ratings.criterion == 0)][
        np.unique(ratings.case[third], return_inverse=True)[1]
    ]
    bad = ratings.scored(level)
    found = judged(bad, facets, rounds=200, seed=1)
    assert found["outfit"].high[0] < 0.05
    assert found["infit"].low[1] < 0.05
    assert found["spread"].low[1] < 0.05
    assert found["halo"].high[2] < 0.05
    seen = {int(r) for name in found for r in np.flatnonzero(discoveries(found[name].p, 0.05))}
    assert {0, 1, 2} >= seen
    fit = fit_of(bad, facets)
    assert fit.infit[0] > 1.3
    assert fit.spread[1] == pytest.approx(0)


def test_without_bad_raters_flags_come_at_the_rate_stated() -> None:
    """Of 120 good raters some 5 % lie below p = 0.05, by every measure; nobody is left after the correction."""
    ratings, facets, _ = made(600, 120, seed=7)
    found = judged(ratings, facets, rounds=60, seed=2)
    for name, one in found.items():
        rate = float((one.p <= 0.05).mean())
        assert rate < 0.11, name
        assert not discoveries(one.p, 0.05).any()


KRIPPENDORFF = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
"""Four observers, twelve units, missing data: the worked example of Krippendorff, Computing Krippendorff's Alpha-Reliability
(2011)."""


@pytest.mark.parametrize(
    ("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_that_of_the_published_example(metric: str, published: float) -> None:
    """To the three digits printed there, and inside its own interval."""
    rows = [
        Rating(f"U{unit:02d}", f"O{observer}", "K", score)
        for observer, scores in enumerate(KRIPPENDORFF)
        for unit, score in enumerate(scores)
        if score is not None
    ]
    found = alpha(ratings_of(rows, low=1, high=5), metric, rounds=200)  # type: ignore[arg-type]
    assert found.value == pytest.approx(published, abs=0.0006)
    assert found.low <= found.value <= found.high
    assert found.pairable == 40


def test_each_against_the_others() -> None:
    """Who follows the others correlates, who turns the scale round does the opposite, two comparisons say nothing."""
    random = np.random.default_rng(8)
    rows = []
    for case in range(40):
        true = int(random.integers(1, 6))
        rows += [Rating(f"C{case}", name, "K", true) for name in ("A", "B", "C")]
        rows.append(Rating(f"C{case}", "Z", "K", 6 - true))
    rows += [Rating("C0", "N", "K", 2), Rating("C1", "N", "K", 4)]
    ratings = ratings_of(rows, low=1, high=5)
    found = dict(zip(ratings.raters, against_others(ratings).tolist(), strict=True))
    assert found["A"] > 0.9
    assert found["Z"] < -0.9
    assert np.isnan(found["N"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.sampled_from([0.01, 0.05, 0.2]))
def test_discoveries_are_those_of_the_definition(p: list[float], rate: float) -> None:
    """The largest k such that k tests have p at most k / n times the rate."""
    found = discoveries(np.array(p), rate)
    count = max((k for k in range(len(p) + 1) if sum(x <= rate * k / len(p) for x in p) >= k), default=0)
    assert found.sum() >= count
    assert (np.array(p)[found] <= rate * max(1, int(found.sum())) / len(p)).all()


def test_few_scores_are_pulled_to_the_middle() -> None:
    """The more the error, the more; without true spread all come out alike."""
    value = np.array([1.0, 1.0, -1.0, -1.0, 0.0])
    pulled = shrunk(value, np.array([0.1, 1.0, 0.1, 0.1, 0.1]))
    assert 0 < pulled[1] < pulled[0] < 1
    same = shrunk(np.array([0.1, -0.1, 0.05]), np.array([1.0, 1.0, 1.0]))
    assert np.ptp(same) == pytest.approx(0)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "ratings.none"),
        ([Rating("C", "A", "K", 6)], "ratings.out_of_scale"),
        ([Rating("C", "A", "K", 2), Rating("D", "A", "K", 2), Rating("C", "A", "K", 3)], "ratings.twice"),
    ],
)
def test_what_cannot_be_is_refused_with_its_row(rows: list[Rating], code: str) -> None:
    """The row is that of the user's list."""
    with pytest.raises(Fault) as fault:
        ratings_of(rows, low=1, high=5)
    assert fault.value.code == code
    if rows:
        assert fault.value.params["row"] == len(rows)
