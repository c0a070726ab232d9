"""Funnel plots: is a rate further from that of the others than chance explains? Exact binomial limits (Spiegelhalter,
Statistics in Medicine 24, 2005, 1185-1202, appendix A.1.1), and what a number of cases can say at all."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from solver.facts import Floats

LEVELS = (Fraction(95, 100), Fraction(998, 1000))
"""What lies between the limits by chance alone: 95% (a warning), 99.8% (an alarm)."""

Verdict = Literal["inside", "low", "high", "too_few"]


@dataclass(frozen=True, slots=True)
class Placed:
    """`passed` of `of`, against an expected rate. `below` and `above`: the chance of so few, or so many, if the rate were
    the expected one. `limits`: low and high rate of the 95% and 99.8% limits. `verdict` at the 99.8% limits; `too_few`: no
    outcome of so many cases could lie outside."""

    passed: int
    of: int
    rate: float
    expected: float
    below: float
    above: float
    limits: tuple[tuple[float, float], tuple[float, float]]
    verdict: Verdict
    warning: Verdict
    """The verdict at the 95% limits."""


def distribution(of: int, expected: float) -> Floats:
    """The chances of 0..of successes, each with the chance `expected` (strictly between 0 and 1)."""
    counts = np.arange(of + 1)
    steps = np.log(np.arange(of, 0, -1)) - np.log(np.arange(1, of + 1))
    ways = np.concatenate([[0.0], np.cumsum(steps)])
    chances: Floats = np.exp(ways + counts * np.log(expected) + (of - counts) * np.log1p(-expected))
    chances /= chances.sum()
    return chances


def limits(of: int, expected: float, level: Fraction) -> tuple[float, float]:
    """The rates between which chance alone stays with the probability `level`, between whole counts by interpolation as
    Spiegelhalter does; 0..1 where `of` is 0."""
    if of == 0 or not 0 < expected < 1:
        return (0.0, 1.0) if of == 0 else (expected, expected)
    tail = float((1 - level) / 2)
    cumulated = np.cumsum(distribution(of, expected))
    return _quantile(cumulated, of, tail), _quantile(cumulated, of, 1 - tail)


def _quantile(cumulated: Floats, of: int, at: float) -> float:
    count = int(np.searchsorted(cumulated, at, side="right"))
    if count > of:
        return 1.0
    under = float(cumulated[count - 1]) if count else 0.0
    part = (float(cumulated[count]) - at) / (float(cumulated[count]) - under)
    return min(1.0, max(0.0, (count - part) / of))


def place(passed: int, of: int, expected: float) -> Placed:
    """Where `passed` of `of` lie. An expected rate of 0 or 1 leaves nothing to chance."""
    if of == 0:
        nothing = ((0.0, 1.0), (0.0, 1.0))
        return Placed(0, 0, 0.0, expected, 1.0, 1.0, nothing, "too_few", "too_few")
    both = (limits(of, expected, LEVELS[0]), limits(of, expected, LEVELS[1]))
    if not 0 < expected < 1:
        same: Verdict = "inside" if passed == expected * of else "high" if passed > expected * of else "low"
        fits = float(same == "inside")
        below, above = (fits, 1.0) if same != "high" else (1.0, fits)
        return Placed(passed, of, passed / of, expected, below, above, both, same, same)
    chances = distribution(of, expected)
    below, above = float(chances[: passed + 1].sum()), float(chances[passed:].sum())
    found = [_verdict(chances, below, above, float((1 - level) / 2)) for level in LEVELS]
    return Placed(passed, of, passed / of, expected, below, above, both, found[1], found[0])


def _verdict(chances: Floats, below: float, above: float, tail: float) -> Verdict:
    small = tail * (
        1 - 1e-9
    )  # a chance that is just the tail's (3 cases at 9/10: 0.1%) is inside, however floats round it
    if below < small:
        return "low"
    if above < small:
        return "high"
    return "inside" if min(float(chances[0]), float(chances[-1])) < small else "too_few"
