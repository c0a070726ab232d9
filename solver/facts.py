"""Facts about experts, held as columns, and the one predicate that gates and shares are written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from solver.errors import Fault

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

MISSING = -(2**31)
"""What a column holds where nothing is known. Never a legal value."""

ColumnType = Literal["integer", "boolean", "category", "date"]
EPOCH = date(1970, 1, 1)


def day(on: date) -> int:
    """Days since 1970-01-01, the unit of every date column."""
    return (on - EPOCH).days


@dataclass(frozen=True, slots=True)
class Column:
    """One fact about every expert: `values` int64 of shape (experts,), MISSING where unknown.

    booleans are 0 and 1; dates are days since 1970-01-01; a category holds indices into `names`.
    """

    type: ColumnType
    values: Ints
    names: tuple[str, ...] = ()

    def show(self, expert: int) -> int | bool | str | None:
        """The value as a person would read it; None where unknown."""
        value = int(self.values[expert])
        if value == MISSING:
            return None
        if self.type == "boolean":
            return bool(value)
        if self.type == "category":
            return self.names[value]
        if self.type == "date":
            return date.fromordinal(EPOCH.toordinal() + value).isoformat()
        return value

    @staticmethod
    def integers(values: Sequence[int | None]) -> Column:
        return Column("integer", np.array([MISSING if v is None else v for v in values], dtype=np.int64))

    @staticmethod
    def booleans(values: Sequence[bool | None]) -> Column:
        return Column("boolean", np.array([MISSING if v is None else int(v) for v in values], dtype=np.int64))

    @staticmethod
    def dates(values: Sequence[date | None]) -> Column:
        return Column("date", np.array([MISSING if v is None else day(v) for v in values], dtype=np.int64))

    @staticmethod
    def categories(values: Sequence[str | None]) -> Column:
        names = tuple(sorted({v for v in values if v is not None}))
        index = {name: i for i, name in enumerate(names)}
        codes = [MISSING if v is None else index[v] for v in values]
        return Column("category", np.array(codes, dtype=np.int64), names)


Facts = Mapping[str, Column]
Op = Literal["lt", "le", "eq", "ge", "gt", "in", "not_in"]
Value = bool | int | str | list[str] | list[int]


class Where(BaseModel):
    """A test of one fact, e.g. `{fact: age, op: lt, value: 70}`.

    A date fact is compared with an ISO date or with `"@meeting"`, the day of the meeting. An unknown value
    fails the test unless `unknown` says `passes`: what we do not know must not let anybody in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fact: str
    op: Op
    value: Value
    unknown: Literal["fails", "passes"] = "fails"

    def check(self, facts: Facts, where: str) -> None:
        """Raises Fault when the fact does not exist or cannot be compared in this way."""
        column = facts.get(self.fact)
        if column is None:
            raise Fault("problem.fact_unknown", where, fact=self.fact, known=", ".join(sorted(facts)))
        several = self.op in ("in", "not_in")
        items: Sequence[object] = self.value if isinstance(self.value, list) else [self.value]
        right: type | tuple[type, ...] = {"integer": int, "boolean": bool, "category": str, "date": str}[
            column.type
        ]
        ordered = column.type in ("integer", "date") or self.op in ("eq", "in", "not_in")
        fits = all(isinstance(v, right) and (right is bool or not isinstance(v, bool)) for v in items)
        if several != isinstance(self.value, list) or not fits or not ordered:
            raise Fault(
                "problem.fact_compared",
                where,
                fact=self.fact,
                type=column.type,
                op=self.op,
                value=str(self.value),
            )
        if column.type == "date":
            for item in items:
                _as_day(str(item), 0, where)

    def implies(self, other: Where) -> bool:
        """Whether whoever passes this test passes the other, whatever the facts are. True is a theorem; False says
        nothing."""
        if self == other:
            return True
        same = (self.fact, self.op) == (other.fact, other.op)
        if not same or (self.unknown == "passes" and other.unknown == "fails"):
            return False
        mine, theirs = self.value, other.value
        if mine == theirs:
            return True
        if isinstance(mine, list) and isinstance(theirs, list):
            return set(mine) <= set(theirs) if self.op == "in" else set(mine) >= set(theirs)
        numbers = type(mine) is int and type(theirs) is int
        dates = isinstance(mine, str) and isinstance(theirs, str) and "@meeting" not in (mine, theirs)
        if not (numbers or dates) or self.op == "eq":
            return False
        less: bool = mine < theirs  # type: ignore[operator]
        return less if self.op in ("lt", "le") else not less

    def mask(self, facts: Facts, meeting: int) -> Mask:
        """Who passes, shape (experts,)."""
        column = facts[self.fact]
        values = column.values
        if column.type == "category":
            wanted = self.value if isinstance(self.value, list) else [self.value]
            among = np.isin(values, [i for i, name in enumerate(column.names) if name in wanted])
            passes = ~among if self.op == "not_in" else among
        elif isinstance(self.value, list):
            among = np.isin(values, [_number(v, meeting) for v in self.value])
            passes = ~among if self.op == "not_in" else among
        else:
            passes = _COMPARE[self.op](values, _number(self.value, meeting))
        unknown = values == MISSING
        return np.where(unknown, self.unknown == "passes", passes)

    def holds(self, facts: Facts, meeting: int, expert: int) -> bool:
        """The same for one expert, written out plainly: the checker trusts this and not `mask`."""
        shown = facts[self.fact].show(expert)
        if shown is None:
            return self.unknown == "passes"
        if self.op == "in" and isinstance(self.value, list):
            return shown in self.value
        if self.op == "not_in" and isinstance(self.value, list):
            return shown not in self.value
        if self.op == "eq" and self.value != "@meeting":
            return bool(shown == self.value)
        right = self.value
        if facts[self.fact].type == "date":
            right = (
                date.fromordinal(EPOCH.toordinal() + meeting).isoformat() if right == "@meeting" else right
            )
            return _compare_plain(self.op, str(shown), str(right))
        if isinstance(shown, int) and isinstance(right, int):
            return _compare_plain(self.op, shown, right)
        raise TypeError(f"{self.fact} cannot be compared with {right!r}")


def passing(tests: Sequence[Where], facts: Facts, meeting: int, experts: int) -> Mask:
    """Who of so many experts passes every test, shape (experts,)."""
    mask = np.ones(experts, dtype=bool)
    for test in tests:
        mask &= test.mask(facts, meeting)
    return mask


def passes(tests: Sequence[Where], facts: Facts, meeting: int, expert: int) -> bool:
    """Whether one expert passes every test; written on `holds`, as the checker needs it."""
    return all(test.holds(facts, meeting, expert) for test in tests)


def _number(value: bool | int | str, meeting: int) -> int:
    return _as_day(value, meeting) if isinstance(value, str) else int(value)


def _as_day(value: str, meeting: int, where: str = "") -> int:
    if value == "@meeting":
        return meeting
    try:
        return day(date.fromisoformat(value))
    except ValueError:
        raise Fault("problem.date_malformed", where, value=value) from None


def _compare_plain(op: Op, left: int | str, right: int | str) -> bool:
    if isinstance(left, str) != isinstance(right, str):
        raise TypeError("a date is compared with a date")
    if op == "eq":
        return left == right
    less = left < right  # type: ignore[operator]
    return {"lt": less, "le": less or left == right, "ge": not less, "gt": not less and left != right}[op]


_COMPARE = {
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ge": np.greater_equal,
    "gt": np.greater,
}
