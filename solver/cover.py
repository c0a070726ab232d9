"""A cover: a small tree of branches whose prices together tell which columns no better panel can use.

Where the LP is far from the optimum its prices keep nearly every column. Branching on a few whole numbers closes most
of that distance: every solution lies in one of the leaves, each leaf has prices of its own, and a solution that costs
at most `within` can use only columns that some leaf keeps. Leaves are certified in integers like any prices, so the
tree is a proof that can be written down and checked without an engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from solver.blocks import Linear
from solver.engines.relaxation import Relaxation
from solver.facts import Floats, Ints, Mask
from solver.model import Model
from solver.reduce import Prices, certify, fits, priced, unpriced
from solver.seats import PRESENT

CANDIDATES = 8
"""How many fractional columns are tried at each branching."""
WHOLE = 1e-6
PATIENCE = 40
"""Branchings in a row that may leave nine tenths of the seats open before we stop."""


@dataclass(frozen=True)
class Leaf:
    """One branch: bounds of its own for some columns (column -> lower, upper), its prices, and the point of its LP."""

    bounds: tuple[tuple[int, int, int], ...]
    model: Model
    prices: Prices
    point: Floats | None
    asked: bool = True
    """Whether its LP was solved: not where the prices came from elsewhere."""

    @property
    def floor(self) -> int:
        return self.prices.floor

    def kept(self, within: int) -> Mask:
        """Columns that a solution of this leaf may use if it costs at most so much."""
        if self.prices.impossible:
            return np.zeros(self.model.width, dtype=bool)
        return kept_within(self.model, self.prices, within)


Branch: TypeAlias = tuple[tuple[tuple[int, int, int], ...], Ints, bool]
"""Bounds of a branch (column, lower, upper), in the order of branching, a price for every row of a model, and whether the
prices are to show that the branch is empty."""


class Cover:
    """Leaves that hold every solution of a model between them.

    `suggested` are branches that hold every solution of any model over the same columns, from another problem's proof:
    they are taken where they prove more than the LP at the root does.
    """

    def __init__(
        self,
        model: Model,
        cost: Linear,
        relaxation: Relaxation | None = None,
        suggested: Sequence[Branch] = (),
    ) -> None:
        self.model, self.cost = model, cost
        self.step = max(1, int(np.gcd.reduce(cost.vals, initial=0)))
        """Costs differ by whole multiples of this."""
        self._relaxation = relaxation or Relaxation(model)
        self._root = self._leaf((), model)
        self.leaves = [self._root]
        if suggested and not self.impossible:
            carried = [self._carried(*branch) for branch in suggested]
            floors = [leaf.floor for leaf in carried if not leaf.prices.impossible]
            if not floors or min(floors) > self._root.floor:
                self.leaves = carried

    def _carried(self, bounds: tuple[tuple[int, int, int], ...], row: Ints, empty: bool) -> Leaf:
        """A branch with prices from elsewhere, certified here."""
        lower, upper = self.model.column_lower.copy(), self.model.column_upper.copy()
        for column, low, high in bounds:
            lower[column], upper[column] = max(low, int(lower[column])), min(high, int(upper[column]))
        own = tuple((column, int(lower[column]), int(upper[column])) for column, _, _ in bounds)
        model = self.model.within(lower, upper)
        nothing = Linear.of([])
        if empty and fits(model, nothing, row.astype(np.float64)):
            shown = certify(model, nothing, row)
            if shown.bound > 0:
                return Leaf(own, model, replace(shown, impossible=True), None, asked=False)
        safe = fits(model, self.cost, row.astype(np.float64))
        found = certify(model, self.cost, row) if safe else unpriced(model, self.cost)
        return Leaf(own, model, found, None, asked=False)

    @property
    def impossible(self) -> bool:
        """Whether every leaf is shown to hold no solution at all."""
        return all(leaf.prices.impossible for leaf in self.leaves)

    @property
    def floor(self) -> int:
        """No solution costs less; meaningless where `impossible`."""
        floor = min((leaf.floor for leaf in self.leaves if not leaf.prices.impossible), default=0)
        return floor + (self.cost.constant - floor) % self.step

    def kept(self, within: int) -> Mask:
        """Columns that a solution may use if it costs at most `within`, as far as the leaves tell."""
        kept = np.zeros(self.model.width, dtype=bool)
        for leaf in self.leaves:
            kept |= leaf.kept(within)
        return kept

    @cached_property
    def reduced(self) -> Ints:
        """Of the first leaf, for ranking: the less, the likelier in a good panel."""
        return self._root.prices.reduced

    def split(self, within: int) -> bool:
        """Branches the open leaf that holds the cheapest solutions; False when none can be branched."""
        open_ = [leaf for leaf in self.leaves if not leaf.prices.impossible and leaf.floor <= within]
        for leaf in sorted(open_, key=lambda leaf: leaf.floor):
            children = self._children(leaf, within)
            if children is not None:
                at = self.leaves.index(leaf)
                self.leaves[at : at + 1] = children
                return True
        return False

    def _children(self, leaf: Leaf, within: int) -> list[Leaf] | None:
        """Two branches of a leaf, on the column that promises the dearest of them; None where nothing is fractional."""
        if not leaf.asked:
            leaf = self._leaf(leaf.bounds, leaf.model, leaf.prices)
        if leaf.point is None:
            return None
        tried = self._fractional(leaf)
        if not tried:
            return None
        self._relaxation.solve(leaf.model, self.cost)
        scores = []
        for column in tried:
            at = int(np.floor(leaf.point[column] + WHOLE))
            low, high = int(leaf.model.column_lower[column]), int(leaf.model.column_upper[column])
            gains = [
                min(self._relaxation.trial(leaf.model, column, *part), within + 1.0) - leaf.floor
                for part in ((low, at), (at + 1, high))
            ]
            scores.append((max(gains[0], 1.0) * max(gains[1], 1.0), -column, at))
        _, column, at = max(scores)
        low, high = int(leaf.model.column_lower[-column]), int(leaf.model.column_upper[-column])
        return [self._branch(leaf, -column, low, at), self._branch(leaf, -column, at + 1, high)]

    def _fractional(self, leaf: Leaf) -> list[int]:
        """Columns that are not whole in the LP, those first whose rounding moves the cost most."""
        assert leaf.point is not None
        away = np.abs(leaf.point - np.rint(leaf.point))
        found = np.flatnonzero(away > 0.01)
        price = np.zeros(self.model.width)
        price[self.cost.cols] = np.abs(self.cost.vals)
        order = np.lexsort((found, -away[found] * price[found]))
        return [int(column) for column in found[order][:CANDIDATES]]

    def _branch(self, leaf: Leaf, column: int, low: int, high: int) -> Leaf:
        lower, upper = leaf.model.column_lower.copy(), leaf.model.column_upper.copy()
        lower[column], upper[column] = low, high
        return self._leaf((*leaf.bounds, (column, low, high)), leaf.model.within(lower, upper), leaf.prices)

    def _leaf(
        self, bounds: tuple[tuple[int, int, int], ...], model: Model, above: Prices | None = None
    ) -> Leaf:
        """The prices of the branch above hold here too: they are taken where the LP has nothing better to say."""
        prices, point = priced(model, self.cost, self._relaxation)
        if above is not None and not prices.impossible and above.row.any():
            inherited = certify(model, self.cost, above.row)
            if inherited.bound > prices.bound:
                return Leaf(bounds, model, inherited, None)
        return Leaf(bounds, model, prices, point)


def kept_within(model: Model, prices: Prices, within: int) -> Mask:
    """Columns that a solution of one branch may use if it costs at most so much."""
    if prices.floor > within:
        return np.zeros(model.width, dtype=bool)
    kept: Mask = prices.kept(within) & (model.column_upper != 0)
    return kept


def present(model: Model, kept: Mask) -> int:
    """How many of the columns kept are places that take up a person."""
    return int((kept[: model.seats.width] & np.isin(model.seats.place, PRESENT)).sum())


def narrowed(cover: Cover, within: int, few: int, worth: Callable[[], bool]) -> Mask:
    """The columns that a solution of cost `within` may use, after branching until `few` seats are left open. Ends early
    where `worth` says so, or where branching has stopped to help."""
    kept = cover.kept(within)
    counts = [present(cover.model, kept)]
    while counts[-1] > few and worth() and cover.split(within):
        kept = cover.kept(within)
        counts.append(present(cover.model, kept))
        if len(counts) > PATIENCE and counts[-1] > 0.9 * counts[-1 - PATIENCE]:
            break
    return kept
