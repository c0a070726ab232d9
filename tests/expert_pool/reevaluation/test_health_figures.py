"""Gini, Lorenz, concentration and the forecast, against what their definitions say done the slow way."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expert_pool.reevaluation.health.figures import concentration, even_chance, gini, lorenz, top_share
from expert_pool.reevaluation.health.forecasting import forecast_of
from expert_pool.reevaluation.health.people import NEVER
from solver.facts import day

COUNTS = st.lists(st.integers(0, 30), max_size=25)


@given(COUNTS)
def test_gini_is_half_the_mean_difference_over_the_mean(counts: list[int]) -> None:
    found = gini(np.array(counts, dtype=np.int64))
    if sum(counts) == 0:
        assert found is None
        return
    n = len(counts)
    apart = sum(abs(a - b) for a in counts for b in counts)
    assert found == pytest.approx(float(Fraction(apart, 2 * n * sum(counts))), abs=1e-12)
    assert 0 <= found <= 1 - 1 / n + 1e-12


@given(COUNTS, st.integers(1, 20))
def test_the_lorenz_curve_is_what_the_poorest_have(counts: list[int], points: int) -> None:
    curve = lorenz(np.array(counts, dtype=np.int64), points)
    if sum(counts) == 0:
        assert curve == []
        return
    poorest, n = sorted(counts), len(counts)
    for place, share in curve:
        whole = int(place * n + 1e-9)
        part = place * n - whole
        have = sum(poorest[:whole]) + (part * poorest[whole] if whole < n else 0)
        assert share == pytest.approx(have / sum(counts), abs=1e-9)
    assert curve[0] == (0.0, 0.0)
    assert curve[-1] == (1.0, 1.0)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=20))
def test_gini_is_twice_the_area_above_the_lorenz_curve(counts: list[int]) -> None:
    curve = lorenz(np.array(counts, dtype=np.int64), len(counts))
    if curve:
        area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve))
        assert gini(np.array(counts, dtype=np.int64)) == pytest.approx(1 - 2 * area, abs=1e-9)


@given(COUNTS)
def test_concentration_is_the_chance_that_two_seats_are_of_one(counts: list[int]) -> None:
    found = concentration(np.array(counts, dtype=np.int64))
    total = sum(counts)
    if total == 0:
        assert found is None
        return
    owner = [i for i, count in enumerate(counts) for _ in range(count)]
    same = sum(a == b for a in owner for b in owner) / total**2
    assert found is not None
    assert found[0] == pytest.approx(10_000 * same)
    assert found[0] * found[1] == pytest.approx(10_000)


@given(COUNTS)
def test_the_top_tenth_is_rounded_up(counts: list[int]) -> None:
    found = top_share(np.array(counts, dtype=np.int64))
    if sum(counts):
        most = sorted(counts, reverse=True)[: -(-len(counts) // 10)]
        assert found == pytest.approx(sum(most) / sum(counts))
    else:
        assert found is None


def test_an_even_draw_lies_inside_its_own_interval_and_repeats() -> None:
    chance = even_chance(400, 300, replications=300, seed=1)
    assert chance is not None
    assert chance == even_chance(400, 300, replications=300, seed=1)
    draws = np.random.default_rng(99)
    inside = 0
    for _ in range(200):
        counts = np.bincount(draws.integers(0, 400, 300), minlength=400)
        value = gini(counts)
        assert value is not None
        inside += chance.low <= value <= chance.high
    assert inside >= 175  # 95% of 200, give or take
    assert even_chance(0, 5) is None


DAYS = st.one_of(st.just(NEVER), st.integers(day(date(2023, 1, 1)), day(date(2031, 1, 1))))
ENDS = st.lists(st.tuples(DAYS, DAYS), max_size=8)


@given(ENDS, st.dates(date(2024, 1, 1), date(2025, 12, 31)), st.integers(1, 4))
def test_the_forecast_is_what_happens_day_by_day(ends: list[tuple[int, int]], on: date, years: int) -> None:
    over = np.array(
        [max(a, day(on) + 1) for a, _ in ends], dtype=np.int64
    )  # members: the term is not over yet
    away = np.array([b for _, b in ends], dtype=np.int64)
    found = forecast_of(on, over, away, years)
    there = set(range(len(ends)))
    today = on
    for year in found:
        assert year.first == today + timedelta(days=1)
        assert year.members == len(there)
        terms = retire = leave = 0
        while today < year.last:
            today += timedelta(days=1)
            for i in sorted(there):
                ends_now, retires_now = over[i] == day(today), away[i] <= day(today)
                terms += bool(ends_now)
                retire += bool(retires_now)
                if ends_now or retires_now:
                    there.discard(i)
                    leave += 1
        assert (year.terms_end, year.retire, year.leave, year.left) == (terms, retire, leave, len(there))
    assert len(found) == years
    assert (found[-1].last.year, found[-1].last.month) == (on.year + years, on.month)
