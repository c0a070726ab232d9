"""The curves of the rating scale: what a score is expected to be, and how it scatters, by how far ability lies above
severity and difficulty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver.facts import Floats, Ints

REACH = 24.0
"""Logits on both sides; beyond it a scale of usual thresholds is at its end."""
STEP = 1 / 128
"""Logits between two points. Between them the curves are taken as straight, which is off by less than 1e-5 of a level:
a thousandth of what an estimate from a hundred scores is off by, at a tenth of the time."""


def chances_at(place: Floats, thresholds: Floats) -> Floats:
    """(N, m + 1): the chance of each level where ability less severity and difficulty is `place`."""
    level = np.arange(len(thresholds) + 1, dtype=np.float64)
    logits = place[:, None] * level - np.concatenate([[0.0], np.cumsum(thresholds)])
    logits -= logits.max(axis=1)[:, None]
    mass = np.exp(logits)
    return np.asarray(mass / mass.sum(axis=1)[:, None])


@dataclass(frozen=True, slots=True)
class Curves:
    """Tables over `place`: mean, variance and third central moment of the level, and the chance of staying below each."""

    thresholds: Floats
    mean: Floats
    variance: Floats
    skew: Floats
    below: Floats

    @staticmethod
    def of(thresholds: Floats) -> Curves:
        """The curves of thresholds t1..tm."""
        place = np.arange(-REACH, REACH + STEP, STEP)
        chances = chances_at(place, thresholds)
        level = np.arange(chances.shape[1], dtype=np.float64)
        mean = chances @ level
        away = level - mean[:, None]
        variance, skew = (np.asarray((chances * away**power).sum(axis=1)) for power in (2, 3))
        return Curves(thresholds, mean, variance, skew, np.cumsum(chances, axis=1).T[:-1].copy())

    def places(self, place: Floats) -> tuple[Ints, Floats]:
        """Where to read: the point before, and how far on towards the next."""
        at = np.clip((place + REACH) / STEP, 0.0, len(self.mean) - 1.001)
        before = at.astype(np.int64)
        return before, at - before

    def nearest(self, place: Floats) -> Ints:
        """The nearest point: off by less than 0.004 of a level."""
        at = (place + (REACH + STEP / 2)) * (1 / STEP)
        return np.clip(at, 0.0, len(self.mean) - 1.0, out=at).astype(np.int64)

    def scores(self, place: Floats, random: np.random.Generator) -> Ints:
        """Levels as the model would give them."""
        before, part = self.places(place)
        drawn = random.random(len(place))
        level = np.zeros(len(place), dtype=np.int64)
        for curve in self.below:
            level += drawn > read(curve, before, part)
        return level


def read(curve: Floats, before: Ints, part: Floats) -> Floats:
    """A curve at the places `Curves.places` found."""
    there = curve[before]
    return np.asarray(there + part * (curve[before + 1] - there))
