"""Severities, links, fit and agreement, against enumeration, a slow second estimator, published values and simulation."""

from __future__ import annotations

from itertools import product
from math import erfc
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expert_pool.reevaluation.measurement.agreement import alpha
from expert_pool.reevaluation.measurement.condensing import condensed
from expert_pool.reevaluation.measurement.curves import Curves, chances_at, read
from expert_pool.reevaluation.measurement.deciding import as_normal, discoveries, shrunk, standing_out
from expert_pool.reevaluation.measurement.estimating import estimated
from expert_pool.reevaluation.measurement.expected import Facets, abilities, fair_averages, residuals
from expert_pool.reevaluation.measurement.fit import fit_of
from expert_pool.reevaluation.measurement.graph import Graph
from expert_pool.reevaluation.measurement.linking import linking, overlaps_wanted
from expert_pool.reevaluation.measurement.pairs import (
    Pairs,
    criterion_pairs,
    rater_pairs,
    split_chances,
    splits,
)
from expert_pool.reevaluation.measurement.ratings import Rating, Ratings, ratings_of
from expert_pool.reevaluation.measurement.severity import SPREAD, offsets_of
from solver.errors import Fault
from solver.facts import Floats, Ints


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
    fair = fair_averages(facets, found, np.arange(1.0, 6.0))
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
    scored = np.bincount(ratings.rater)
    wanted = overlaps_wanted(found, scored, per_case=2, information=2.0, error=0.5)
    assert [tuple(ratings.raters[j] for j in one.raters) for one in wanted] == [("A", "P"), ("B", "Z")]
    assert [one.cases for one in wanted] == [2, 2]
    (once,) = overlaps_wanted(found, scored, per_case=3)
    assert [ratings.raters[j] for j in once.raters] == ["A", "P", "Z"]
    value = offsets_of(rater_pairs(ratings), len(ratings.raters), ratings.steps).value
    assert value[:3].sum() == pytest.approx(0, abs=1e-6)
    assert value[3:5].sum() == pytest.approx(0, abs=1e-6)


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
    facets = Facets(np.zeros(5), np.zeros(1), Curves.of(np.array([-1.0, 0.0, 0.5, 1.0])))
    found = dict(zip(ratings.raters, fit_of(ratings, facets).agreement.tolist(), strict=True))
    assert found["A"] > 0.9
    assert found["Z"] < -0.9
    assert np.isnan(found["N"])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_fit_is_that_of_its_definition(seed: int) -> None:
    """Written out score by score."""
    ratings, facets, _ = made(8, 4, seed=seed)
    found = fit_of(ratings, facets)
    rest = residuals(ratings, facets, abilities(ratings, facets))
    for rater in range(4):
        mine = np.flatnonzero(ratings.rater == rater)
        if len(mine) < 6:
            continue
        off, variance = rest.off[mine], rest.variance[mine]
        assert found.infit[rater] == pytest.approx((off**2).sum() / variance.sum())
        assert found.outfit[rater] == pytest.approx((off**2 / variance).mean())
        products = [
            rest.standard[a] * rest.standard[b]
            for a in mine
            for b in mine
            if a < b and ratings.case[a] == ratings.case[b]
        ]
        assert found.halo[rater] == pytest.approx(np.mean(products))
        should = np.sum((rest.mean[mine] - rest.mean[mine].mean()) ** 2 + variance)
        scatter = np.sum((ratings.level[mine] - ratings.level[mine].mean()) ** 2)
        assert found.spread[rater] == pytest.approx(np.sqrt(scatter / should))
        others = [
            ratings.level[
                (ratings.case == ratings.case[n])
                & (ratings.criterion == ratings.criterion[n])
                & (ratings.rater != rater)
            ].mean()
            for n in mine
        ]
        if np.std(others) > 0 and np.std(ratings.level[mine]) > 0:
            assert found.agreement[rater] == pytest.approx(np.corrcoef(ratings.level[mine], others)[0, 1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=40))
def test_links_and_bridges_are_those_of_a_library(ends: list[tuple[int, int]]) -> None:
    """Sets, sizes and bridges as networkx has them; the overlaps asked for make one set of all."""
    one, two = np.array([(a, b) for a, b in ends if a != b] or [(0, 1)]).T
    found = linking(Pairs(one, two, one, one, one, np.ones(len(one)), one, one), 15)
    graph: Any = nx.Graph()
    graph.add_edges_from(zip(one.tolist(), two.tolist(), strict=True))
    sets = sorted(nx.connected_components(graph), key=lambda members: (-len(members), min(members)))
    assert found.sizes == tuple(len(members) for members in sets)
    assert all((found.part[list(members)] == number).all() for number, members in enumerate(sets))
    assert found.bridges == tuple(sorted((min(a, b), max(a, b)) for a, b in nx.bridges(graph)))
    graph.add_nodes_from(range(15))
    parts = nx.number_connected_components(graph)
    wanted = overlaps_wanted(found, np.ones(15, dtype=np.int64), per_case=3)
    assert len(wanted) == (parts - 1 + 1) // 2
    for overlap in wanted:
        nx.add_path(graph, overlap.raters)
    assert nx.is_connected(graph)


def test_a_step_of_the_graph_solves_its_equations() -> None:
    """As a dense solver does."""
    random = np.random.default_rng(3)
    one = random.integers(0, 9, 30)
    two = (one + random.integers(1, 9, 30)) % 9
    pairs = Pairs(one, two, one, two, one, np.ones(30), one, two)
    graph, pairs = Graph.of(pairs, 9)
    heavy = graph.summed(random.random(30) + 0.1)
    slope = random.normal(size=9)
    dense = np.eye(9) * 0.04
    for a, b, weight in zip(graph.one, graph.two, heavy, strict=True):
        dense[a, a] += weight
        dense[b, b] += weight
        dense[a, b] -= weight
        dense[b, a] -= weight
    assert graph.solved(heavy, slope, 0.04, enough=1e-18) == pytest.approx(np.linalg.solve(dense, slope))


def test_many_raters_leave_the_thresholds_unbiased() -> None:
    """With hundreds of raters of thirty scores each, plain maximum likelihood puts thresholds too far apart."""
    ratings, facets, _ = made(1500, 450, seed=9)
    plain = offsets_of(rater_pairs(ratings), 450, ratings.steps).thresholds
    freed = estimated(ratings).raters.thresholds
    true = facets.curves.thresholds
    assert abs(float(freed @ true / (true @ true)) - 1) < 0.03
    assert float(plain @ true / (true @ true)) > 1.03


def test_a_long_scale_is_cut_into_classes_and_unused_levels_are_left_out() -> None:
    """Nothing is lost that had scores; the bounds say what was joined."""
    rows = [Rating(f"C{c}", r, "K", (c * 7 + ord(r)) % 101) for c in range(300) for r in "AB"]
    found = condensed(ratings_of(rows, low=0, high=100))
    assert found.joined
    assert found.ratings.steps + 1 == 10
    assert found.bounds[0][0] == 0
    assert found.bounds[-1][1] == 100
    assert all(low <= value <= high for value, (low, high) in zip(found.values, found.bounds, strict=True))
    odd = condensed(ratings_of([Rating("C", "A", "K", 1), Rating("C", "B", "K", 9)], low=1, high=9))
    assert odd.values.tolist() == [1, 9]
    assert not odd.joined


def test_who_stands_out_does_not_hide_behind_the_spread() -> None:
    """Spread of most is found beside a few far out; without spread it is none."""
    random = np.random.default_rng(4)
    value = np.concatenate([random.normal(0, 0.5, 400), [4.0, -4.0]])
    error = np.full(402, 0.25)
    value += random.normal(0, 0.25, 402)
    z, middle, spread = standing_out(value, error)
    assert spread == pytest.approx(0.5, abs=0.08)
    assert abs(middle) < 0.1
    assert (np.abs(z[:400]) > 1.96).mean() == pytest.approx(0.05, abs=0.03)
    assert (np.abs(z[400:]) > 5).all()
    assert standing_out(random.normal(0, 0.25, 400) * 0.5, error[:400])[2] == 0


@pytest.mark.parametrize(("t", "freedom", "p"), [(2.571, 5, 0.05), (3.169, 10, 0.01), (4.541, 3, 0.02)])
def test_student_becomes_normal(t: float, freedom: int, p: float) -> None:
    """At the points of the printed table."""
    z = float(as_normal(np.array([t]), np.array([float(freedom)]))[0])
    assert erfc(z / 2**0.5) == pytest.approx(p, rel=0.07)


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


LSAT = (
    3,
    6,
    2,
    11,
    1,
    1,
    3,
    4,
    1,
    8,
    0,
    16,
    0,
    3,
    2,
    15,
    10,
    29,
    14,
    81,
    3,
    28,
    15,
    80,
    16,
    56,
    21,
    173,
    11,
    61,
    28,
    298,
)
"""Law School Admission Test, section 6: how many of 1,000 people gave each pattern of five answers, 00000 to 11111 (Bock &
Lieberman 1970, as in Thissen 1982)."""


def full_conditional(right: Ints, groups: Ints) -> Floats:
    """Difficulties by full conditional maximum likelihood (Andersen 1970), climbed by plain gradients. `right`: by item;
    `groups`: people by their sum."""
    items = len(right)
    value = np.zeros(items)
    for _ in range(2000):
        weight = np.exp(-value)

        def symmetric(chosen: Floats) -> Floats:
            found = np.zeros(items + 1)
            found[0] = 1
            for one in chosen:
                found[1:] = found[1:] + one * found[:-1]
            return found

        whole = symmetric(weight)
        expected = np.zeros(items)
        for item in range(items):
            without = symmetric(np.delete(weight, item))
            for total in range(1, items):
                expected[item] += groups[total] * weight[item] * without[total - 1] / whole[total]
        extreme = groups[items]
        step = (expected - (right - extreme)) / 150
        value = value + step
        value -= value.mean()
        if np.abs(step).max() < 1e-8:
            break
    return value


def test_a_published_data_set_is_estimated_as_published() -> None:
    """Five items stand for raters. The full conditional estimates are those of the literature (-1.256, 0.475, 1.236, 0.168,
    -0.623); pairs are a composite of the full likelihood and agree with it to a tenth of a standard error."""
    answers = np.repeat(np.array(list(product((0, 1), repeat=5))), LSAT, axis=0)
    assert answers.sum(axis=0).tolist() == [924, 709, 553, 763, 870]
    rows = [
        Rating(f"P{person:04d}", f"I{item}", "K", int(score))
        for person, one in enumerate(answers)
        for item, score in enumerate(one)
    ]
    ratings = ratings_of(rows, low=0, high=1)
    full = full_conditional(answers.sum(axis=0), np.bincount(answers.sum(axis=1), minlength=6))
    assert full == pytest.approx([-1.256, 0.475, 1.236, 0.168, -0.623], abs=0.001)
    found = offsets_of(rater_pairs(ratings), 5, 1)
    assert found.value == pytest.approx(full, abs=0.015)
    assert (np.abs(found.value - full) < 0.12 * found.error).all()
