"""Linear expressions and blocks of integer rows: the one language between rules and engines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from solver.facts import Ints
    from solver.rules.base import Rule

FREE = 2**62
"""No bound on this side."""


def _ints(values: Iterable[int] | Ints) -> Ints:
    return np.asarray(values if isinstance(values, np.ndarray) else list(values), dtype=np.int64)


def _merged(owner: Ints, cols: Ints, vals: Ints) -> tuple[Ints, Ints, Ints]:
    """Entries in rising order of (owner, column), each pair once, without zeros."""
    key = owner * (int(cols.max(initial=0)) + 1) + cols
    if not bool((np.diff(key) > 0).all()):
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        owner, cols = owner[order[starts]], cols[order[starts]]
        vals = np.add.reduceat(vals[order], starts)
    kept = vals != 0
    return (owner, cols, vals) if bool(kept.all()) else (owner[kept], cols[kept], vals[kept])


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
        _, cols, vals = _merged(np.zeros(len(self.cols), dtype=np.int64), self.cols, self.vals)
        return Linear(cols, vals, self.constant)

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
        nothing = np.empty(0, dtype=np.int64)
        sizes = [len(row.expression.cols) for row in rows]
        owner = np.repeat(np.arange(len(rows)), sizes)
        cols = np.concatenate([nothing, *(row.expression.cols for row in rows)])
        vals = np.concatenate([nothing, *(row.expression.vals for row in rows)])
        owner, cols, vals = _merged(owner, cols, vals)
        return Block(
            rule.id,
            np.searchsorted(owner, np.arange(len(rows) + 1)),
            cols,
            vals,
            _ints(-FREE if r.lower == -FREE else r.lower - r.expression.constant for r in rows),
            _ints(FREE if r.upper == FREE else r.upper - r.expression.constant for r in rows),
            _ints(r.unit for r in rows),
            _ints(r.weight for r in rows),
            _ints(lower for lower, _ in aux),
            _ints(upper for _, upper in aux),
        )

    @staticmethod
    def grouped(
        rule: Rule,
        owner: Ints,
        cols: Ints,
        *,
        vals: Ints | None = None,
        lower: int = -FREE,
        upper: int = FREE,
        unit: int = 1,
    ) -> Block:
        """One row for each distinct `owner`, over its columns, all with the same bounds; for thousands of rows.
        No owner may name a column twice."""
        order = np.lexsort((cols, owner))
        starts = np.flatnonzero(np.diff(owner[order], prepend=owner[order][:1] - 1))
        count = len(starts)
        return Block(
            rule.id,
            np.append(starts, len(order)),
            cols[order],
            np.ones(len(order), dtype=np.int64) if vals is None else vals[order],
            np.full(count, lower, dtype=np.int64),
            np.full(count, upper, dtype=np.int64),
            np.full(count, unit, dtype=np.int64),
            np.ones(count, dtype=np.int64),
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
