"""Sums by index."""

from __future__ import annotations

import numpy as np

from solver.facts import Floats, Ints


def sums(place: Ints, values: Floats | Ints, count: int) -> Floats:
    """By index 0..count-1 the sum of the values that stand there."""
    return np.asarray(np.bincount(place, values, count), dtype=np.float64)
