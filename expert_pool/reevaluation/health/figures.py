"""How evenly something is shared out: Gini, Lorenz curve, Herfindahl-Hirschman index, and what chance alone would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver.facts import Ints


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle 95% of what even chance gives, from so many simulated seasons."""

    low: float
    high: float
    replications: int


def gini(counts: Ints) -> float | None:
    """The Gini coefficient of counts (>= 0), 0 (all the same) to 1 - 1/n (one has all): half the mean difference of two
    of them over their mean. None when nobody has anything."""
    n, total = len(counts), int(counts.sum())
    if n == 0 or total == 0:
        return None
    ordered = np.sort(counts)
    ranks = 2 * np.arange(1, n + 1, dtype=np.int64) - n - 1
    return float(int((ranks * ordered).sum()) / (n * total))


def lorenz(counts: Ints, points: int = 20) -> list[tuple[float, float]]:
    """The Lorenz curve at `points` + 1 even places: of the people with least the share 0..1, and what they have of all,
    0..1 (straight between two people). Empty when nobody has anything."""
    n, total = len(counts), int(counts.sum())
    if n == 0 or total == 0:
        return []
    heights = np.concatenate([[0], np.cumsum(np.sort(counts))]) / total
    places = np.arange(points + 1) / points
    shares = np.interp(places * n, np.arange(n + 1), heights)
    return list(zip(places.tolist(), shares.tolist(), strict=True))


def top_share(counts: Ints, part: int = 10) -> float | None:
    """What the most served tenth (one in `part`, rounded up) has of all, 0..1. None when nobody has anything."""
    total = int(counts.sum())
    if total == 0:
        return None
    first = -(-len(counts) // part)
    return float(int(np.sort(counts)[::-1][:first].sum()) / total)


def concentration(counts: Ints) -> tuple[float, float] | None:
    """The Herfindahl-Hirschman index of parts, 0..10000 (one has all), and to how many equal parts that comes
    (10000 / index). None when there is nothing."""
    total = int(counts.sum())
    if total == 0:
        return None
    index = 10_000 * sum(int(count) ** 2 for count in counts.tolist()) / total**2
    return index, 10_000 / index


def even_chance(people: int, seats: int, *, replications: int = 200, seed: int = 0) -> Interval | None:
    """The Gini that comes about when every seat falls to anybody with the same chance: what fairness alone looks like.
    None without people or seats."""
    if people == 0 or seats == 0:
        return None
    draws = np.random.default_rng(seed)
    found = np.array([_gini_of_tally(draws.integers(0, people, seats), people) for _ in range(replications)])
    low, high = np.quantile(found, [0.025, 0.975]).tolist()
    return Interval(float(low), float(high), replications)


def _gini_of_tally(drawn: Ints, people: int) -> float:
    """As `gini` of how often each was drawn, from the number of people with 0, 1, 2, ... seats."""
    holders = np.bincount(np.bincount(drawn, minlength=people))
    have = np.arange(len(holders), dtype=np.int64)
    after = np.cumsum(holders)
    ranks = after**2 - (after - holders) ** 2 - people * holders  # the sum of 2i - n - 1 over each step
    return float((ranks * have).sum() / (people * len(drawn)))
