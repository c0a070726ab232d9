"""Statistics against what is published with its data, closed forms, and plain second estimators of another kind."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import permutations
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert_pool.reevaluation.funnel import limits, place
from expert_pool.reevaluation.measurement.agreement import METRICS, Metric, alpha
from expert_pool.reevaluation.measurement.curves import Curves, chances_at
from expert_pool.reevaluation.measurement.deciding import discoveries, q_values
from expert_pool.reevaluation.measurement.estimating import estimated
from expert_pool.reevaluation.measurement.pairs import rater_pairs
from expert_pool.reevaluation.measurement.ratings import Rating, Ratings, ratings_of
from expert_pool.reevaluation.measurement.severity import SPREAD, offsets_of
from solver.facts import Floats

BENJAMINI_HOCHBERG = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip
"""The fifteen tests of rt-PA against APSAC in Benjamini & Hochberg (1995), section 3.2."""


def test_the_example_of_benjamini_and_hochberg_rejects_four() -> None:
    """Four of fifteen at 0.05, where Bonferroni rejects three; whatever the order they come in."""
    p = np.array(BENJAMINI_HOCHBERG)
    assert discoveries(p, 0.05).tolist() == [True] * 4 + [False] * 11
    assert int((p <= 0.05 / 15).sum()) == 3
    assert q_values(p)[:5] == pytest.approx([0.0015, 0.003, 0.0095, 0.035625, 0.0603])
    order = np.random.default_rng(1).permutation(15)
    assert q_values(p[order]) == pytest.approx(q_values(p)[order])


TWO_OBSERVERS = (
    ("0100000010", "1110010000", 0.095),
    ("aabbdcccedda", "babbbccceddd", 0.692),
)
"""Two observers each: the dichotomous and the nominal example (A and B) of Krippendorff (2011)."""


@pytest.mark.parametrize(("first", "second", "published"), TWO_OBSERVERS)
def test_nominal_alpha_of_two_observers_is_the_published_one(
    first: str, second: str, published: float
) -> None:
    names = sorted({*first, *second})
    rows = [
        Rating(f"U{unit:02d}", observer, "K", names.index(said))
        for observer, every in (("one", first), ("two", second))
        for unit, said in enumerate(every)
    ]
    found = alpha(ratings_of(rows, low=0, high=max(len(names) - 1, 1)), "nominal", rounds=0)
    assert found.value == pytest.approx(published, abs=0.0006)


def plain_alpha(units: list[list[int]], metric: Metric) -> Fraction | None:
    """Alpha by its definition: every ordered pair of scores of a unit against every ordered pair of all scores."""
    paired = [scores for scores in units if len(scores) > 1]
    every = sorted(score for scores in paired for score in scores)
    counts = {score: every.count(score) for score in every}

    def apart(one: int, two: int) -> Fraction:
        if metric == "nominal":
            return Fraction(one != two)
        if metric == "interval":
            return Fraction((one - two) ** 2)
        low, high = min(one, two), max(one, two)
        between = sum(number for score, number in counts.items() if low <= score <= high)
        return (between - Fraction(counts[low] + counts[high], 2)) ** 2 if low < high else Fraction(0)

    chance = sum((apart(a, b) for a, b in permutations(every, 2)), Fraction(0))
    if not chance:
        return None
    seen = sum(
        (apart(a, b) / (len(scores) - 1) for scores in paired for a, b in permutations(scores, 2)),
        Fraction(0),
    )
    return 1 - seen / len(every) / (chance / (len(every) * (len(every) - 1)))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=4, max_size=4), min_size=1, max_size=9
    )
)
def test_alpha_with_gaps_is_that_of_its_definition(told: list[list[int | None]]) -> None:
    """Whatever is missing; and nothing at all where there is nothing to agree about."""
    rows = [
        Rating(f"U{unit}", f"O{observer}", "K", score)
        for unit, scores in enumerate(told)
        for observer, score in enumerate(scores)
        if score is not None
    ]
    if not rows:
        return
    ratings = ratings_of(rows, low=1, high=5)
    units = [[score for score in scores if score is not None] for scores in told]
    for metric in METRICS:
        found, wanted = alpha(ratings, metric, rounds=0).value, plain_alpha(units, metric)
        assert np.isnan(found) if wanted is None else found == pytest.approx(float(wanted), abs=1e-9)


@pytest.mark.parametrize(("one", "two"), [(300, 100), (40, 160), (75, 75)])
def test_two_raters_who_say_yes_or_no_differ_by_the_log_odds_of_their_splits(one: int, two: int) -> None:
    """The conditional (McNemar, Mantel-Haenszel) estimate of matched pairs: cases on which both agree tell nothing. The
    prior pulls it by a hundredth of itself at most."""
    told = [(1, 0)] * one + [(0, 1)] * two + [(1, 1)] * 50 + [(0, 0)] * 70
    rows = [
        Rating(f"C{n:04d}", rater, "K", score)
        for n, scores in enumerate(told)
        for rater, score in zip("AB", scores, strict=True)
    ]
    found = offsets_of(rater_pairs(ratings_of(rows, low=0, high=1)), 2, 1)
    difference = found.value[1] - found.value[0]
    assert difference == pytest.approx(log(one / two), abs=0.01 * abs(log(one / two)) + 1e-4)
    pull = one - (one + two) / (1 + np.exp(-difference))
    assert pull == pytest.approx(
        difference / 2 / SPREAD**2, abs=0.02
    )  # the equation of the penalised likelihood


def marginal_severities(ratings: Ratings, nodes: int = 13) -> Floats:
    """Severities by marginal maximum likelihood with normal abilities (Bock & Aitkin 1981): an estimator of another kind,
    which uses all scores of a case at once and assumes how cases are spread."""
    steps, at = ratings.steps, np.arange(ratings.steps + 1)
    point = np.linspace(-4, 4, nodes)
    severity, difficulty = np.zeros(len(ratings.raters)), np.zeros(len(ratings.criteria))
    thresholds, mean, spread = np.linspace(-1, 1, steps), 0.0, 1.0
    for _ in range(40):
        ability = mean + spread * point
        place = ability[None, :] - (severity[ratings.rater] + difficulty[ratings.criterion])[:, None]
        chances = chances_at(place.ravel(), thresholds).reshape(len(ratings), nodes, steps + 1)
        given_level = np.log(chances[np.arange(len(ratings)), :, ratings.level])
        joint = np.zeros((len(ratings.cases), nodes))
        np.add.at(joint, ratings.case, given_level)
        joint += -(point**2) / 2
        joint = np.exp(joint - joint.max(axis=1)[:, None])
        joint /= joint.sum(axis=1)[:, None]
        held = joint[ratings.case]
        expected = chances @ at
        short = (held * (expected - ratings.level[:, None])).sum(axis=1)
        bend = (held * (chances @ (at * at) - expected**2)).sum(axis=1)
        for index, value in ((ratings.rater, severity), (ratings.criterion, difficulty)):
            value += np.bincount(index, short, len(value)) / np.bincount(index, bend, len(value))
            value -= value.mean()
        past = np.array([(chances[:, :, h + 1 :].sum(axis=2) * held).sum() for h in range(steps)])
        seen = np.array([(ratings.level > h).sum() for h in range(steps)])
        thresholds = thresholds + 2 * (past - seen) / len(ratings)
        thresholds -= thresholds.mean()
        middle = joint @ ability
        mean = float(middle.mean())
        spread = float(np.sqrt(np.mean(joint @ ability**2 - middle**2 + (middle - mean) ** 2)))
    return severity


def test_an_estimator_of_another_kind_agrees_within_a_part_of_the_error() -> None:
    """Pairs need no assumption about cases. Where that of the marginal likelihood holds, both say the same."""
    random = np.random.default_rng(5)
    raters, cases, criteria = 12, 150, 3
    severity, ability = random.normal(0, 0.7, raters), random.normal(0.2, 1.1, cases)
    curves = Curves.of(np.array([-1.6, -0.5, 0.5, 1.6]))
    rows = []
    for case in range(cases):
        for rater in random.choice(raters, 3, replace=False).tolist():
            levels = curves.scores(np.full(criteria, ability[case] - severity[rater]), random)
            rows += [
                Rating(f"C{case:03d}", f"R{rater:02d}", f"K{k}", 1 + int(level))
                for k, level in enumerate(levels)
            ]
    ratings = ratings_of(rows, low=1, high=5)
    found = estimated(ratings).raters
    other = marginal_severities(ratings)
    ours = found.value - found.value.mean()
    apart = np.abs(ours - other) / found.error
    assert apart.max() < 0.6
    assert np.sqrt(np.mean((ours - other) ** 2)) < 0.05
    assert np.corrcoef(ours, severity)[0, 1] > 0.97


def exact_tail(passed: int, of: int, chance: Fraction) -> tuple[Fraction, Fraction]:
    """The chance of so few, and of so many, in fractions."""
    mass, ways = [Fraction(0)] * (of + 1), 1
    for count in range(of + 1):
        mass[count] = ways * chance**count * (1 - chance) ** (of - count)
        ways = ways * (of - count) // (count + 1)
    return sum(mass[: passed + 1], Fraction(0)), sum(mass[passed:], Fraction(0))


@pytest.mark.parametrize("of", [5, 20, 60])
def test_an_alarm_is_an_exact_tail_below_one_in_a_thousand(of: int) -> None:
    """For every count, at the 99.8 % limits and at the 95 % limits; and the limits drawn lie where it begins."""
    chance = Fraction(7, 10)
    outside: defaultdict[str, list[int]] = defaultdict(list)
    for passed in range(of + 1):
        below, above = exact_tail(passed, of, chance)
        found = place(passed, of, float(chance))
        assert (found.below, found.above) == pytest.approx((float(below), float(above)))
        for verdict, tail in ((found.verdict, Fraction(1, 1000)), (found.warning, Fraction(1, 40))):
            wanted = "low" if below < tail else "high" if above < tail else None
            assert verdict == wanted or (wanted is None and verdict in ("inside", "too_few"))
        outside[found.verdict].append(passed)
    low, high = limits(of, float(chance), Fraction(998, 1000))
    assert max(outside["low"], default=-1) <= low * of
    assert min(outside["high"], default=of + 1) > high * of - 1
