"""Common random numbers: a number depends on the seed, the replication, the year, what it is for, and on whom it falls.

Each is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) at one place of one stream: a counter-based generator, so that a number
can be had without those before it. Two scenarios that differ in anything draw the same for the same person, year and
purpose; somebody more or less in the pool moves nobody else's luck.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from solver.facts import Floats, Ints

Keys = NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def keys_of(names: Iterable[str]) -> Keys:
    """A number for each name, the same in every run."""
    drawn = (hashlib.sha256(name.encode()).digest()[:8] for name in names)
    return np.frombuffer(b"".join(drawn), dtype="<u8").astype(np.uint64)


class Chance:
    """The luck of one replication. `seed` is that of the scenario."""

    def __init__(self, seed: int, replication: int) -> None:
        self.named = f"{seed}:{replication}"

    def on(self, keys: Keys, purpose: str, year: int) -> Floats:
        """For each key a number in [0, 1)."""
        stream = keys_of([f"{self.named}:{purpose}:{year}"])[0]
        with np.errstate(over="ignore"):
            drawn = _mixed(_mixed(keys + _GAMMA) ^ stream)
        found: Floats = (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return found

    def places(self, count: int, purpose: str, year: int) -> Floats:
        """So many numbers in [0, 1) by their place: more of them begin with the same ones."""
        return self.on(np.arange(count, dtype=np.uint64), purpose, year)


def _mixed(z: Keys) -> Keys:
    z = z + _GAMMA
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


def picked(numbers: Floats, of: int) -> Ints:
    """Numbers in [0, 1) as indices 0..of - 1."""
    return np.minimum((numbers * of).astype(np.int64), of - 1)
