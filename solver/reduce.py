"""Certified reduction: prices from the LP, made integers, tell which columns no better panel can use.

For ANY integer row prices y of the right sign, weak duality gives a lower bound on the cost of every solution,
    L(y) = y.b + sum_j min over the bounds of (c_j - A_j.y) x_j,
and a solution that uses a column resting at zero with d_j = c_j - A_j.y > 0 costs at least L(y) + d_j. The LP only
suggests y: its floats are scaled, rounded and cleaned of wrong signs, then everything is recomputed in int64, so a bad
LP gives a weak bound and never a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solver.blocks import FREE, Linear
from solver.engines.relaxation import Relaxation
from solver.facts import Floats, Ints, Mask
from solver.model import Model

SCALE = 2**20


@dataclass(frozen=True)
class Prices:
    """Row prices `row` (scaled by SCALE), what they prove: `bound` (scaled), and `reduced` cost d_j of each column.
    `impossible`: they prove that there is no solution at all (a Farkas ray: the bound at no cost is above zero)."""

    row: Ints
    bound: int
    reduced: Ints
    impossible: bool = False

    @property
    def floor(self) -> int:
        """No solution costs less."""
        return -(-self.bound // SCALE)

    def kept(self, within: int) -> Mask:
        """Columns that may be used by a solution that costs at most `within`, as far as the prices tell."""
        mask: Mask = self.reduced <= within * SCALE - self.bound
        return mask

    def outside(self, kept: Mask) -> int | None:
        """The least a solution can cost that uses a column not kept; None when all are kept."""
        left_out = self.reduced[~kept]
        return None if not len(left_out) else -(-(self.bound + int(left_out.min())) // SCALE)


def priced(model: Model, cost: Linear, relaxation: Relaxation) -> tuple[Prices, Floats | None]:
    """Prices for a cost, and the point of the LP where it has one. Always valid; strong when the LP could be solved and
    its numbers fit into 64 bits. `relaxation` is one that has seen models with the first rows of this one."""
    relaxed = relaxation.solve(model, cost)
    if relaxed is None:
        return unpriced(model, cost), None
    if relaxed.point is None:
        for turned in (relaxed.duals, -relaxed.duals):
            refuted = _refuted(model, turned)
            if refuted is not None:
                return refuted, None
        return unpriced(model, cost), None
    if not fits(model, cost, relaxed.duals * SCALE):
        return unpriced(model, cost), relaxed.point
    return certify(model, cost, np.round(relaxed.duals * SCALE).astype(np.int64)), relaxed.point


def prices(model: Model, cost: Linear) -> Prices:
    """Prices for a cost by an LP of their own."""
    return priced(model, cost, Relaxation(model))[0]


def unpriced(model: Model, cost: Linear) -> Prices:
    """What the bounds of the columns prove by themselves."""
    nothing = np.zeros(model.width, dtype=np.int64)
    return Prices(np.zeros(len(model.lower), dtype=np.int64), model.least(cost) * SCALE, nothing)


def _refuted(model: Model, ray: Floats) -> Prices | None:
    """Prices that show the model to be impossible: at no cost at all, no point can be had for nothing or less."""
    largest = float(np.abs(ray).max(initial=0.0))
    nothing = Linear.of([])
    scaled = ray * (SCALE / largest) if largest else ray
    if not largest or not fits(model, nothing, scaled):
        return None
    shown = certify(model, nothing, np.round(scaled).astype(np.int64))
    return replace(shown, impossible=True) if shown.bound > 0 else None


def fits(model: Model, cost: Linear, duals: Floats) -> bool:
    """Whether every sum in `certify` stays far from overflow, judged in floats by absolute values."""
    rows = duals.nonzero()[0]
    cols, vals, start = model.some(rows)
    reduced = np.bincount(
        cols, weights=np.abs(vals * np.repeat(duals[rows], np.diff(start))), minlength=model.width
    ).astype(np.float64)
    reduced[cost.cols] += np.abs(cost.vals * float(SCALE))
    lower, upper = model.lower[rows], model.upper[rows]
    sides = np.where(lower == -FREE, 0.0, np.abs(lower)) + np.where(upper == FREE, 0.0, np.abs(upper))
    reach = np.maximum(np.abs(model.column_lower), np.abs(model.column_upper))
    return bool(np.abs(duals[rows]) @ sides + reduced @ reach < 2.0**61)


def certify(model: Model, cost: Linear, suggested: Ints) -> Prices:
    """What any integer prices prove, in integers alone."""
    row = np.where((suggested > 0) & (model.lower == -FREE), 0, suggested)
    row = np.where((row < 0) & (model.upper == FREE), 0, row)
    rows = row.nonzero()[0]
    cols, vals, start = model.some(rows)
    reduced = np.zeros(model.width, dtype=np.int64)
    np.subtract.at(reduced, cols, vals * np.repeat(row[rows], np.diff(start)))
    reduced[cost.cols] += cost.vals * SCALE
    side = np.where(row[rows] > 0, model.lower[rows], model.upper[rows])
    resting = np.minimum(reduced * model.column_lower, reduced * model.column_upper)
    bound = int(row[rows] @ side) + int(resting.sum()) + cost.constant * SCALE
    movable = np.where((model.column_lower == 0) & (reduced > 0), reduced, 0)
    return Prices(row, bound, movable)


def restrict(model: Model, kept: Mask) -> Model:
    """The model without the columns that are not kept: they stay zero, with those that cannot be more than zero without
    them (nobody chairs who does not sit); rows that can no longer be broken go."""
    upper = np.where(kept, model.column_upper, model.column_lower)
    while True:
        live = (upper != 0) | (model.column_lower != 0)
        entries = live[model.cols]
        cols, vals, owner = model.cols[entries], model.vals[entries], model.owner[entries]
        at_low, at_high = vals * model.column_lower[cols], vals * upper[cols]
        least, most = np.zeros(len(model.lower), dtype=np.int64), np.zeros(len(model.lower), dtype=np.int64)
        np.add.at(least, owner, np.minimum(at_low, at_high))
        np.add.at(most, owner, np.maximum(at_low, at_high))
        span = np.abs(at_high - at_low)
        short = np.where(
            vals < 0, most[owner] - span < model.lower[owner], least[owner] + span > model.upper[owner]
        )
        lone = short & (model.column_lower[cols] == 0) & (upper[cols] == 1)
        if not lone.any():
            break
        upper[cols[lone]] = 0
    needed = (least < model.lower) | (most > model.upper)
    own = needed[owner]
    counts = np.bincount(owner[own], minlength=len(needed))[needed]
    return replace(
        model,
        column_upper=upper,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        cols=cols[own],
        vals=vals[own],
        lower=model.lower[needed],
        upper=model.upper[needed],
        rule_of=tuple(rule for rule, there in zip(model.rule_of, needed.tolist(), strict=True) if there),
    )
