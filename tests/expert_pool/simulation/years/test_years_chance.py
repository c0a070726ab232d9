"""Luck: the same for the same person whatever else a scenario says; and figures that follow from it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expert_pool.simulation.asking import Asked
from expert_pool.simulation.comparing import compare
from expert_pool.simulation.running import simulate
from expert_pool.simulation.years.chance import Chance, keys_of, picked
from expert_pool.simulation.years.crew import committees_of
from expert_pool.simulation.years.figures import mean_interval, student, wilson
from expert_pool.simulation.years.running import setting_of


def test_numbers_are_spread_evenly_and_do_not_hang_together() -> None:
    keys = keys_of(f"P{i}" for i in range(20_000))
    one, other = Chance(1, 0).on(keys, "leave", 2030), Chance(1, 0).on(keys, "term", 2030)
    for drawn in (one, other):
        counts = np.bincount(picked(drawn, 20), minlength=20)
        assert ((counts - 1000) ** 2 / 1000).sum() < 50  # chi-square with 19 degrees: 1 in 10,000 above
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.03


@given(st.integers(0, 2**40), st.integers(0, 500), st.integers(1990, 2100), st.integers(1, 40))
def test_luck_does_not_depend_on_company(seed: int, replication: int, year: int, count: int) -> None:
    keys = keys_of(f"P{i}" for i in range(40))
    chance = Chance(seed, replication)
    every = chance.on(keys, "leave", year)
    assert ((every >= 0) & (every < 1)).all()
    assert (chance.on(keys[:count], "leave", year) == every[:count]).all()
    assert (chance.places(count, "cases", year) == chance.places(40, "cases", year)[:count]).all()
    assert (picked(every, count) < count).all()


def test_recruits_change_nobody_elses_course(laid_years: Callable[..., Asked]) -> None:
    plain = laid_years("seasons: 5\nreplications: 1")
    more = laid_years("seasons: 5\nreplications: 1\nrecruits: [{count: 7, specialty: '0201'}]")
    one = setting_of(plain.scenario, plain.problems).replication(0).course
    other = setting_of(more.scenario, more.problems).replication(0).course
    own = one.gone.shape[1]
    assert other.gone.shape[1] == own + 28
    for name in ("gone", "terms", "trained", "barred", "away"):
        assert (getattr(other, name)[..., :own] == getattr(one, name)).all()


def test_a_pool_without_renewal_is_empty_after_one_term(laid_years: Callable[..., Asked]) -> None:
    laid = laid_years("seasons: 5\nreplications: 1\nterms: {years: 3, renewed: 0%}\nretire: {leave: 0%}")
    census = setting_of(laid.scenario, laid.problems).replication(0).course.census
    assert census[0].in_pool > 40
    assert census[-1].in_pool == 0
    assert sum(one.ended + one.retired for one in census) == census[0].in_pool


def test_everybody_ages_and_retires_on_time(laid_years: Callable[..., Asked]) -> None:
    laid = laid_years("seasons: 6\nreplications: 1\nterms: {renewed: 100%}\nretire: {age: 60, leave: 0%}")
    setting = setting_of(laid.scenario, laid.problems)
    course, ages = setting.replication(0).course, setting.ground.ages
    member = setting.ground.member.any(axis=0)
    for season in range(1, 6):
        assert (course.gone[season][member] == (ages[member] + season >= 60)).all()


def test_a_sample_is_drawn_without_return_and_scaled_up(laid_years: Callable[..., Asked]) -> None:
    laid = laid_years("seasons: 1\nreplications: 12\nsample: 2")
    setting = setting_of(laid.scenario, laid.problems)
    chosen = [committees_of(setting, n) for n in range(12)]
    assert all(len(set(own)) == 2 for own in chosen)
    assert set().union(*chosen) == {0, 1, 2, 3}
    found = simulate(laid).years
    assert found is not None
    assert found.sampled == 2
    by_name = {figure.name: figure for figure in found.figures}
    assert by_name["asked"].mean == 4
    assert by_name["seated"].mean == 4
    assert "people" not in by_name


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (4, 2.7764), (9, 2.2622), (50, 2.0086), (400, 1.9659)],
)
def test_quantiles_of_student(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=2e-4)


def test_intervals() -> None:
    assert wilson(0, 10) == (0.0, pytest.approx(0.277533, abs=1e-6))
    assert wilson(5, 10) == (pytest.approx(0.236593, abs=1e-6), pytest.approx(0.763407, abs=1e-6))
    assert mean_interval([1.0]) == (None, None)
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert (low, high) == (pytest.approx(-0.484138, abs=1e-4), pytest.approx(4.484138, abs=1e-4))


def test_two_scenarios_are_compared_pair_by_pair(laid_years: Callable[..., Asked]) -> None:
    years = "seasons: 3\nreplications: 3\n"
    plain = simulate(laid_years(years, committees=1))
    half = "seed: 5\nchange: [{rule: newcomers, set: {least: 1/2}}]\n"
    changed = simulate(laid_years(years, half, committees=1))
    found = compare(plain, changed).years
    assert found is not None
    assert found.paired == 3
    assert found.same_luck
    names = {one.name for one in found.differences}
    assert not names & {"in_pool", "retired", "ended", "mean_age"}
    assert compare(plain, plain).years == found.model_copy(
        update={"differences": [], "dry_second": found.dry_first}
    )
