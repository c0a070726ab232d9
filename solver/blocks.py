"""Linear expressions and blocks of integer rows: the one language between rules and engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from solver.facts import Ints

if TYPE_CHECKING:
    from solver.rules.base import Rule

FREE = 2**62
"""No bound on this side."""


def _ints(values: Iterable[int] | Ints) -> Ints:
    return np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Linear:
    """sum(vals * columns) + constant. Columns may repeat: their coefficients add up."""

    cols: Ints
    vals: Ints
    constant: int = 0

    @staticmethod
    def total(cols: Ints) -> Linear:
        return Linear(cols, np.ones(len(cols), dtype=np.int64))

    @staticmethod
    def of(terms: Sequence[tuple[int, int]], constant: int = 0) -> Linear:
        """From (column, coefficient) pairs."""
        return Linear(_ints(c for c, _ in terms), _ints(v for _, v in terms), constant)

    def __add__(self, other: Linear | int) -> Linear:
        if isinstance(other, int):
            return Linear(self.cols, self.vals, self.constant + other)
        return Linear(
            np.concatenate([self.cols, other.cols]),
            np.concatenate([self.vals, other.vals]),
            self.constant + other.constant,
        )

    def __neg__(self) -> Linear:
        return Linear(self.cols, -self.vals, -self.constant)

    def __sub__(self, other: Linear | int) -> Linear:
        return self + (-other)

    def __rmul__(self, factor: int) -> Linear:
        return Linear(self.cols, factor * self.vals, factor * self.constant)

    def merged(self) -> Linear:
        """The same with each column once, in rising order, and no zero coefficient."""
        cols, place = np.unique(self.cols, return_inverse=True)
        vals = np.zeros(len(cols), dtype=np.int64)
        np.add.at(vals, place, self.vals)
        kept = vals != 0
        return Linear(cols[kept], vals[kept], self.constant)

    def at(self, values: Ints) -> int:
        """Its value for a vector of column values."""
        return int(self.vals @ values[self.cols]) + self.constant


@dataclass(frozen=True, slots=True)
class Row:
    """lower <= expression <= upper.

    `unit`: how much one unit of shortfall bends the row when its rule is soft or relaxed; 0 for a row that only
    defines auxiliaries and never bends. `weight`: how many equal rows this one stands for.
    """

    expression: Linear
    lower: int = -FREE
    upper: int = FREE
    unit: int = 1
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """What one rule asks of the engines: rows (CSR), auxiliary integer columns, and columns that stay zero.

    Auxiliary i of the block is column `width + i` in its rows, where `width` is that of the seats.
    """

    rule: str
    start: Ints
    cols: Ints
    vals: Ints
    lower: Ints
    upper: Ints
    unit: Ints
    weight: Ints
    aux_lower: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    aux_upper: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    forbidden: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @staticmethod
    def of(rule: Rule, rows: Sequence[Row], aux: Sequence[tuple[int, int]] = ()) -> Block:
        """From rows; constants move into the bounds; `aux` holds the (lower, upper) of each auxiliary."""
        merged = [row.expression.merged() for row in rows]
        nothing = [np.empty(0, dtype=np.int64)]
        return Block(
            rule.id,
            np.cumsum([0, *(len(m.cols) for m in merged)], dtype=np.int64),
            np.concatenate([m.cols for m in merged] or nothing),
            np.concatenate([m.vals for m in merged] or nothing),
            _ints(-FREE if r.lower == -FREE else r.lower - r.expression.constant for r in rows),
            _ints(FREE if r.upper == FREE else r.upper - r.expression.constant for r in rows),
            _ints(r.unit for r in rows),
            _ints(r.weight for r in rows),
            _ints(lower for lower, _ in aux),
            _ints(upper for _, upper in aux),
        )

    @staticmethod
    def forbid(rule: Rule, columns: Ints) -> Block:
        empty = np.empty(0, dtype=np.int64)
        return Block(rule.id, _ints([0]), empty, empty, empty, empty, empty, empty, forbidden=columns)

    def row(self, i: int) -> Row:
        """Row i, unpacked."""
        a, b = int(self.start[i]), int(self.start[i + 1])
        expression = Linear(self.cols[a:b], self.vals[a:b])
        return Row(expression, int(self.lower[i]), int(self.upper[i]), int(self.unit[i]), int(self.weight[i]))

    def __len__(self) -> int:
        return len(self.lower)
