"""Funnel plots against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expert_pool.reevaluation.funnel import LEVELS, distribution, limits, place

CASES = st.integers(1, 60)
CHANCES = st.integers(1, 19).map(lambda n: Fraction(n, 20))


def exactly(of: int, chance: Fraction) -> list[Fraction]:
    return [comb(of, r) * chance**r * (1 - chance) ** (of - r) for r in range(of + 1)]


@given(CASES, CHANCES)
def test_the_distribution_is_binomial(of: int, chance: Fraction) -> None:
    assert distribution(of, float(chance)) == pytest.approx(
        [float(p) for p in exactly(of, chance)], abs=1e-12
    )


@given(CASES, CHANCES, st.data())
def test_a_rate_is_far_out_where_the_exact_tail_is_small(
    of: int, chance: Fraction, data: st.DataObject
) -> None:
    passed = data.draw(st.integers(0, of))
    chances = exactly(of, chance)
    below, above = sum(chances[: passed + 1]), sum(chances[passed:])
    found = place(passed, of, float(chance))
    assert found.below == pytest.approx(float(below))
    assert found.above == pytest.approx(float(above))
    for level, verdict in zip(LEVELS, (found.warning, found.verdict), strict=True):
        tail = (1 - level) / 2
        if below < tail or above < tail:
            assert verdict == ("low" if below < tail else "high")
        else:
            possible = chances[0] < tail or chances[-1] < tail
            assert verdict == ("inside" if possible else "too_few")


def test_a_chance_that_is_just_the_tails_is_not_outside() -> None:
    """None of three at 9/10 has a chance of 0.1%, which in floats is a little less."""
    assert place(0, 3, 0.9).verdict == "too_few"


@given(CASES, CHANCES, st.sampled_from(LEVELS))
def test_whole_counts_outside_the_limits_have_small_tails(of: int, chance: Fraction, level: Fraction) -> None:
    """The limits are Spiegelhalter's: r less a part of a count, where r is the first with more than the tail below it."""
    low, high = limits(of, float(chance), level)
    tail = (1 - level) / 2
    sums = np.cumsum([float(p) for p in exactly(of, chance)])
    for found, at in ((low, float(tail)), (high, float(1 - tail))):
        r = next((n for n, total in enumerate(sums) if total > at), of)
        before = sums[r - 1] if r else 0.0
        wanted = (r - (sums[r] - at) / (sums[r] - before)) / of
        assert found == pytest.approx(min(1, max(0, wanted)), abs=1e-6)
    assert 0 <= low <= high <= 1


def test_no_case_says_nothing_and_thousands_are_no_trouble() -> None:
    assert place(0, 0, 0.5).verdict == "too_few"
    assert place(1, 2, 0.5).verdict == "too_few"
    assert place(5200, 10_000, 0.5).verdict == "high"
    assert place(5000, 10_000, 0.5).verdict == "inside"
    assert (place(3, 3, 1.0).verdict, place(2, 3, 1.0).verdict) == ("inside", "low")


def test_the_alarm_is_raised_as_often_as_it_says() -> None:
    """Of many committees like all others, at most two in a thousand lie outside."""
    draws = np.random.default_rng(5).binomial(400, 0.55, 20_000)
    counts, times = np.unique(draws, return_counts=True)
    out = [place(n, 400, 0.55).verdict in ("low", "high") for n in counts.tolist()]
    assert int(times[out].sum()) / len(draws) <= 0.003
