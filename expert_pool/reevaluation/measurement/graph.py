"""The graph of comparisons: who was compared with whom, and Newton steps on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.reevaluation.measurement.pairs import Pairs
from expert_pool.reevaluation.measurement.sums import sums
from solver.facts import Floats, Ints

MOST = 1000
"""Rounds of conjugate gradients; the prior keeps the system well enough behaved to need far fewer."""


@dataclass(frozen=True, slots=True)
class Graph:
    """E edges between `count` nodes, and where among P pairs, sorted by edge, those of each edge start.

    Every edge stands twice in the table of neighbours: `row` names nodes that have any, `starts` where each one's
    neighbours begin, `column` the neighbour, `entry` the edge.
    """

    count: int
    one: Ints
    two: Ints
    edge: Ints
    begins: Ints
    row: Ints
    starts: Ints
    column: Ints
    entry: Ints

    @staticmethod
    def of(pairs: Pairs, count: int) -> tuple[Graph, Pairs]:
        """The graph of the pairs, and the pairs sorted by its edges."""
        keys = pairs.first * count + pairs.second
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        begins = np.flatnonzero(np.diff(keys, prepend=-1))
        one, two = keys[begins] // count, keys[begins] % count
        edge = np.repeat(np.arange(len(begins)), np.diff(begins, append=len(keys)))
        ends = np.concatenate([one, two])
        by_end = np.argsort(ends, kind="stable")
        starts = np.flatnonzero(np.diff(ends[by_end], prepend=-1))
        row = ends[by_end][starts]
        column, entry = np.concatenate([two, one])[by_end], by_end % max(1, len(one))
        return Graph(count, one, two, edge, begins, row, starts, column, entry), pairs.taken(order)

    def summed(self, by_pair: Floats) -> Floats:
        """By edge."""
        return np.add.reduceat(by_pair, self.begins) if len(self.begins) else np.zeros(0)

    def touching(self, by_edge: Floats) -> Floats:
        """By node: the sum over all its edges."""
        return self._by_node(by_edge[self.entry])

    def flowing(self, by_edge: Floats) -> Floats:
        """By node: what comes in at the first end and goes out at the second."""
        return sums(self.one, by_edge, self.count) - sums(self.two, by_edge, self.count)

    def solved(self, heavy: Floats, slope: Floats, prior: float, *, enough: float = 1e-6) -> Floats:
        """x with (L + prior) x = slope, L the Laplacian whose edges are as heavy as given; by conjugate gradients, each
        node scaled by its own weight, until the square of what is left is `enough` of that at the start."""
        weights = heavy[self.entry]
        diagonal = self._by_node(weights) + prior
        x = np.zeros(self.count)
        rest = slope
        direction = ready = rest / diagonal
        size = float(rest @ ready)
        least = enough * size
        for _ in range(MOST):
            if size <= least or size < 1e-20:
                break
            along = diagonal * direction - self._by_node(weights * direction[self.column])
            length = size / float(direction @ along)
            x = x + length * direction
            rest = rest - length * along
            ready = rest / diagonal
            size, before = float(rest @ ready), size
            direction = ready + (size / before) * direction
        return x

    def _by_node(self, by_entry: Floats) -> Floats:
        found = np.zeros(self.count)
        if len(self.starts):
            found[self.row] = np.add.reduceat(by_entry, self.starts)
        return found
