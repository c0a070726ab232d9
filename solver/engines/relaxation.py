"""The linear relaxation of a model, grown row by row and column by column: most of a large pool never matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import highspy
import numpy as np

from solver.blocks import FREE, Linear
from solver.seats import Place

if TYPE_CHECKING:
    from solver.facts import Floats, Ints, Mask
    from solver.model import Model

STALE = 8
"""Rounds without a better bound after which we stop: any prices prove something, these prove enough."""
WIDER = 2
"""Rounds without a better bound after which a rule that is broken sends all its rows at once: some break one row for
another without end. Small models only: where columns are still to come, a row without them draws in all of them."""
SLACK = 1e-6
ROLES = (Place.CHAIR, Place.DEPUTY)
ALL = 3000
"""Up to so many columns are taken in at once."""
FEW = 24
"""How many columns of each span a larger model begins with."""


@dataclass(frozen=True)
class Relaxed:
    """What the LP suggests: duals for each row (zero for a row never needed), and the point, or None where `duals` is a
    ray that says there is no point at all. Suggestions only: solver.reduce recomputes what they prove."""

    duals: Floats
    point: Floats | None


class Relaxation:
    """One LP over the rows that were violated and the columns that were worth something so far, solved anew from the
    last basis.

    Chairs and deputies stay out, with the rows that speak of them: leaving rows out can only make a bound weaker, and
    thousands who may chair would make every LP slow for nothing. Models handed in one after the other may only have more
    rows than those before, at the end, and tighter columns.
    """

    def __init__(self, model: Model) -> None:
        self._highs = _quiet()
        self._rows: Ints = np.empty(0, dtype=np.int64)
        self._cols: Ints = np.empty(0, dtype=np.int64)
        self._has_row = np.zeros(0, dtype=bool)
        self._has_col = np.zeros(model.width, dtype=bool)
        self._left_out = np.zeros(model.width, dtype=bool)
        self._left_out[: model.seats.width] = np.isin(model.seats.place, ROLES)

    def solve(self, model: Model, cost: Linear) -> Relaxed | None:
        """The cheapest point of the LP; None where HiGHS could not tell."""
        prices = np.zeros(model.width)
        prices[cost.cols] = cost.vals
        lower = np.where(model.lower == -FREE, -highspy.kHighsInf, model.lower.astype(float))
        upper = np.where(model.upper == FREE, highspy.kHighsInf, model.upper.astype(float))
        self._grow(model)
        self._enter(model, prices, self._first(model, prices))
        self._reset(model, prices)
        self._require(model, lower, upper, np.flatnonzero((lower == upper) & ~self._has_row))
        small = len(self._cols) <= ALL
        best, stale = -np.inf, 0
        while True:
            self._highs.run()
            status = self._highs.getModelStatus()
            if status == highspy.HighsModelStatus.kInfeasible:
                ray = self._ray(model)
                if ray is None:
                    return None
                if not self._enter(model, prices, self._worth(model, np.zeros(model.width), ray)):
                    return Relaxed(ray, None)
                continue
            if status != highspy.HighsModelStatus.kOptimal:
                return None
            solution = self._highs.getSolution()
            point = np.zeros(model.width)
            point[self._cols] = solution.col_value
            duals = np.zeros(len(lower))
            duals[self._rows] = solution.row_dual
            entered = self._enter(model, prices, self._worth(model, prices, duals))
            rows = self._broken(model, lower, upper, point)
            if stale >= WIDER and small:
                rows = self._alike(model, rows)
            broken = self._require(model, lower, upper, rows)
            bound = self._highs.getInfo().objective_function_value
            if not entered:
                stale = 0 if bound > best + 0.5 else stale + 1
                best = max(best, bound)
            if not entered and (not broken or stale > STALE):
                return Relaxed(duals, point)

    def _grow(self, model: Model) -> None:
        """Rows that came since the last question; those with a column that is left out count as there already."""
        known = len(self._has_row)
        more = np.zeros(len(model.lower) - known, dtype=bool)
        entries = np.flatnonzero(self._left_out[model.cols[model.start[known] :]]) + model.start[known]
        more[model.owner[entries] - known] = True
        self._has_row = np.append(self._has_row, more)

    def trial(self, model: Model, column: int, low: int, high: int) -> float:
        """The bound that the last LP would have with other bounds of one column; nothing new is drawn in."""
        at = np.flatnonzero(self._cols == column).astype(np.int32)
        self._highs.changeColsBounds(1, at, np.array([float(low)]), np.array([float(high)]))
        self._highs.run()
        optimal = self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        bound = self._highs.getInfo().objective_function_value if optimal else np.inf
        before = float(model.column_lower[column]), float(model.column_upper[column])
        self._highs.changeColsBounds(1, at, np.array([before[0]]), np.array([before[1]]))
        return float(bound)

    def _first(self, model: Model, prices: Floats) -> Mask:
        """Columns to begin with: all of a small model; else the cheapest of every span, and every auxiliary."""
        usable = ((model.column_upper != 0) | (model.column_lower != 0)) & ~self._left_out
        if int(usable.sum()) <= ALL:
            every: Mask = usable & ~self._has_col
            return every
        first = np.zeros(model.width, dtype=bool)
        first[model.seats.width :] = True
        if not self._has_col.any():
            for start, stop in model.seats.spans.values():
                own = start + np.flatnonzero(usable[start:stop])
                if len(own) > FEW:
                    own = own[np.argpartition(prices[own], FEW)[:FEW]]
                first[own] = True
        chosen: Mask = first & usable & ~self._has_col
        return chosen

    def _worth(self, model: Model, prices: Floats, duals: Floats) -> Mask:
        """Columns outside whose reduced cost is negative: the LP would be cheaper, or possible, with them."""
        rows = duals.nonzero()[0]
        cols, vals, start = model.some(rows)
        weights = vals * np.repeat(duals[rows], np.diff(start))
        reduced = prices - np.bincount(cols, weights=weights, minlength=model.width)
        size = max(1.0, float(np.abs(duals[rows]).max(initial=0.0)))
        worth: Mask = (reduced < -SLACK * size) & ~self._has_col & ~self._left_out & (model.column_upper > 0)
        return worth

    def _broken(self, model: Model, lower: Floats, upper: Floats, point: Floats) -> Ints:
        """Rows outside that the point breaks."""
        support = point.nonzero()[0]
        entries = model.entries_of(support)
        weights = model.vals[entries] * point[model.cols[entries]]
        activity = np.bincount(model.owner[entries], weights=weights, minlength=len(lower))
        broken = ((activity < lower - SLACK) | (activity > upper + SLACK)) & ~self._has_row
        return broken.nonzero()[0]

    def _alike(self, model: Model, rows: Ints) -> Ints:
        """All rows of the rules behind some rows, as far as columns that are here occur in them."""
        theirs = np.isin(model.rule_number, model.rule_number[rows]) & ~self._has_row
        touched = np.bincount(model.owner, weights=self._has_col[model.cols], minlength=len(theirs)) > 0
        found: Ints = (theirs & touched).nonzero()[0]
        return found

    def _enter(self, model: Model, prices: Floats, mask: Mask) -> bool:
        new = mask.nonzero()[0]
        if not len(new):
            return False
        index = np.full(len(self._has_row), -1, dtype=np.int64)
        index[self._rows] = np.arange(len(self._rows))
        entries = model.entries_of(new)
        entries = entries[index[model.owner[entries]] >= 0]
        start = np.searchsorted(model.cols[entries], new)
        self._highs.addCols(
            len(new),
            prices[new],
            model.column_lower[new].astype(float),
            model.column_upper[new].astype(float),
            len(entries),
            start.astype(np.int32),
            index[model.owner[entries]].astype(np.int32),
            model.vals[entries].astype(float),
        )
        self._cols = np.concatenate([self._cols, new])
        self._has_col[new] = True
        return True

    def _require(self, model: Model, lower: Floats, upper: Floats, rows: Ints) -> bool:
        if not len(rows):
            return False
        index = np.full(model.width, -1, dtype=np.int64)
        index[self._cols] = np.arange(len(self._cols))
        cols, vals, start = model.some(rows)
        inside = index[cols] >= 0
        begin = np.concatenate([[0], np.cumsum(inside)])[start[:-1]]
        self._highs.addRows(
            len(rows),
            lower[rows],
            upper[rows],
            int(inside.sum()),
            begin.astype(np.int32),
            index[cols[inside]].astype(np.int32),
            vals[inside].astype(float),
        )
        self._rows = np.concatenate([self._rows, rows])
        self._has_row[rows] = True
        return True

    def _reset(self, model: Model, prices: Floats) -> None:
        """Costs and bounds of this question."""
        there = np.arange(len(self._cols), dtype=np.int32)
        self._highs.changeColsCost(len(there), there, prices[self._cols])
        low, high = model.column_lower[self._cols], model.column_upper[self._cols]
        self._highs.changeColsBounds(len(there), there, low.astype(float), high.astype(float))

    def _ray(self, model: Model) -> Floats | None:
        """Multipliers of the rows that show the LP to be impossible, turned so that they add up to more than the columns
        can reach."""
        _, there, values = self._highs.getDualRay()
        if not there:
            return None
        ray = np.zeros(len(self._has_row))
        ray[self._rows] = values
        return ray


def _quiet() -> highspy.Highs:
    """One thread always: with another number after the first run HiGHS silently does nothing."""
    highs = highspy.Highs()
    highs.silent()
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("presolve", "off")
    return highs
