"""Seeded randomness in named streams, and the two ways of choosing that the region is made of."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from solver.facts import Ints, Mask

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Streams:
    """One generator for each named part, all from the same seed: a change in one part leaves the others alone."""

    seed: tuple[int, ...]

    def __call__(self, part: str, *number: int) -> Generator:
        return np.random.default_rng(SeedSequence([*self.seed, zlib.crc32(part.encode()), *number]))


def zipf(count: int, exponent: float = 1.0) -> Floats:
    """Weights of ranks 1..count, falling as rank ** -exponent; they add up to 1."""
    weights: Floats = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    weights /= weights.sum()
    return weights


def choose(rng: Generator, weights: Floats, size: int) -> Ints:
    """`size` indices, each drawn with probability in proportion to its weight."""
    edges = np.cumsum(weights)
    found: Ints = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.minimum(found, len(weights) - 1)


def choose_rows(rng: Generator, table: Floats, rows: Ints) -> Ints:
    """For each entry of `rows`, one column drawn by the weights in that row of `table`."""
    edges = np.cumsum(table, axis=1)
    draws = rng.random(len(rows)) * edges[rows, -1]
    found: Ints = np.minimum((edges[rows] <= draws[:, None]).sum(axis=1), table.shape[1] - 1)
    return found


class Cells:
    """Items sorted into cells, to draw from a given cell by weight."""

    def __init__(self, cell: Ints, weight: Floats, cells: int, allowed: Mask | None = None) -> None:
        kept = np.arange(len(cell)) if allowed is None else allowed.nonzero()[0]
        kept = kept[cell[kept] >= 0]
        self._items = kept[np.argsort(cell[kept], kind="stable")]
        self._edges = np.concatenate([[0.0], np.cumsum(weight[self._items])])
        self._starts = np.searchsorted(cell[self._items], np.arange(cells + 1))

    def sizes(self) -> Ints:
        """How many items each cell holds."""
        return np.diff(self._starts)

    def draw(self, rng: Generator, cell: Ints) -> Ints:
        """One item for each entry of `cell`, by weight within the cell; -1 where the cell is empty."""
        first, last = self._starts[cell], self._starts[cell + 1]
        low, high = self._edges[first], self._edges[last]
        at = np.searchsorted(self._edges, low + rng.random(len(cell)) * (high - low), side="right") - 1
        at = np.clip(at, first, np.maximum(last - 1, first))
        found = np.full(len(cell), -1, dtype=np.int64)
        full = last > first
        found[full] = self._items[at[full]]
        return found
