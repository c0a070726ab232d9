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
from numpy.typing import NDArray

from solver.blocks import FREE, Linear
from solver.facts import Ints, Mask
from solver.model import Model

SCALE = 2**20
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Row prices `row` (scaled by SCALE), what they prove: `bound` (scaled), and `reduced` cost d_j of each column."""

    row: Ints
    bound: int
    reduced: Ints

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


def prices(model: Model, cost: Linear) -> Prices:
    """Prices for a cost. Always valid; strong when the LP could be solved and its numbers fit into 64 bits."""
    duals = _lp_duals(model, cost) * SCALE
    if not _fits(model, cost, duals):
        nothing = np.zeros(model.width, dtype=np.int64)
        return Prices(np.zeros(len(model.lower), dtype=np.int64), model.least(cost) * SCALE, nothing)
    return certify(model, cost, np.round(duals).astype(np.int64))


def _fits(model: Model, cost: Linear, duals: Floats) -> bool:
    """Whether every sum in `certify` stays far from overflow, judged in floats by absolute values."""
    owner = np.repeat(np.arange(len(duals)), np.diff(model.start))
    reduced = np.zeros(model.width)
    np.add.at(reduced, model.cols, np.abs(model.vals * duals[owner]))
    np.add.at(reduced, cost.cols, np.abs(cost.vals * float(SCALE)))
    sides = np.where(model.lower == -FREE, 0.0, np.abs(model.lower)) + np.where(
        model.upper == FREE, 0.0, np.abs(model.upper)
    )
    reach = np.maximum(np.abs(model.column_lower), np.abs(model.column_upper))
    return bool(np.abs(duals) @ sides + reduced @ reach < 2.0**61)


def certify(model: Model, cost: Linear, suggested: Ints) -> Prices:
    """What any integer prices prove, in integers alone."""
    row = np.where((suggested > 0) & (model.lower == -FREE), 0, suggested)
    row = np.where((row < 0) & (model.upper == FREE), 0, row)
    side = np.where(row > 0, model.lower, np.where(row < 0, model.upper, 0))
    owner = np.repeat(np.arange(len(row)), np.diff(model.start))
    priced = np.zeros(model.width, dtype=np.int64)
    np.add.at(priced, model.cols, model.vals * row[owner])
    reduced = -priced
    reduced[cost.cols] += cost.vals * SCALE
    resting = np.minimum(reduced * model.column_lower, reduced * model.column_upper)
    bound = int(row @ side) + int(resting.sum()) + cost.constant * SCALE
    movable = np.where((model.column_lower == 0) & (reduced > 0), reduced, 0)
    return Prices(row, bound, movable)


def restrict(model: Model, kept: Mask) -> Model:
    """The model without the columns that are not kept: they stay zero, and rows that can no longer be broken go."""
    upper = np.where(kept, model.column_upper, model.column_lower)
    live = (upper != 0) | (model.column_lower != 0)
    owner = np.repeat(np.arange(len(model.lower)), np.diff(model.start))
    entries = live[model.cols]
    cols, vals, owner = model.cols[entries], model.vals[entries], owner[entries]
    least = np.zeros(len(model.lower), dtype=np.int64)
    most = np.zeros(len(model.lower), dtype=np.int64)
    at_low, at_high = vals * model.column_lower[cols], vals * upper[cols]
    np.add.at(least, owner, np.minimum(at_low, at_high))
    np.add.at(most, owner, np.maximum(at_low, at_high))
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


def _lp_duals(model: Model, cost: Linear) -> Floats:
    """Row duals of the LP relaxation by GLOP; zeros where it found none."""
    from ortools.math_opt import model_pb2
    from ortools.math_opt.python import mathopt

    file = model_pb2.ModelProto()
    columns, rows = file.variables, file.linear_constraints
    columns.ids.extend(range(model.width))
    columns.lower_bounds.extend(model.column_lower.astype(float).tolist())
    columns.upper_bounds.extend(model.column_upper.astype(float).tolist())
    columns.integers.extend([False] * model.width)
    rows.ids.extend(range(len(model.lower)))
    rows.lower_bounds.extend(np.where(model.lower == -FREE, -np.inf, model.lower.astype(float)).tolist())
    rows.upper_bounds.extend(np.where(model.upper == FREE, np.inf, model.upper.astype(float)).tolist())
    matrix = file.linear_constraint_matrix
    matrix.row_ids.extend(np.repeat(np.arange(len(model.lower)), np.diff(model.start)).tolist())
    matrix.column_ids.extend(model.cols.tolist())
    matrix.coefficients.extend(model.vals.astype(float).tolist())
    file.objective.linear_coefficients.ids.extend(cost.cols.tolist())
    file.objective.linear_coefficients.values.extend(cost.vals.astype(float).tolist())
    relaxed = mathopt.Model.from_model_proto(file)
    solved = mathopt.solve(relaxed, mathopt.SolverType.GLOP)
    if not solved.solutions or solved.solutions[0].dual_solution is None:
        return np.zeros(len(model.lower))
    duals = solved.solutions[0].dual_solution.dual_values
    return np.array([duals[row] for row in relaxed.linear_constraints()])
