"""All blocks of a problem joined into one integer model that any engine can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from solver.blocks import FREE, Block, Linear
from solver.facts import Floats, Ints, Mask
from solver.goals.base import Goal
from solver.problem import Problem
from solver.rules.base import Gate, Rule
from solver.rules.roles import Roles
from solver.seats import Seats
from solver.survival import surviving_rows


@dataclass(frozen=True)
class Level:
    """One level of the goal order: a cost to be made small; `parts` are the goals and soft rules it adds up."""

    level: int
    parts: tuple[str, ...]
    cost: Linear
    tolerance: int = 0

    @property
    def id(self) -> str:
        return "+".join(self.parts)


@dataclass(frozen=True)
class Model:
    """Integer columns with bounds and rows (CSR) with bounds. Columns 0..seats.width-1 are the seats.

    `rule_of` names the rule behind each row; `levels` are in rising order.
    """

    seats: Seats
    column_lower: Ints
    column_upper: Ints
    start: Ints
    cols: Ints
    vals: Ints
    lower: Ints
    upper: Ints
    rule_of: tuple[str, ...]
    levels: tuple[Level, ...]

    @property
    def width(self) -> int:
        return len(self.column_lower)

    def keeping(self, level: Level, at_most: int) -> Model:
        """The same model with one more row: the cost of a level stays at most so high."""
        return replace(
            self,
            start=np.append(self.start, self.start[-1] + len(level.cost.cols)),
            cols=np.concatenate([self.cols, level.cost.cols]),
            vals=np.concatenate([self.vals, level.cost.vals]),
            lower=np.append(self.lower, -FREE),
            upper=np.append(self.upper, at_most - level.cost.constant),
            rule_of=(*self.rule_of, level.id),
        )

    @cached_property
    def owner(self) -> Ints:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.lower)), np.diff(self.start))

    @cached_property
    def by_column(self) -> tuple[Ints, Ints]:
        """Entries in column order: their indices, and where each column starts (one more than columns)."""
        order = np.argsort(self.cols, kind="stable")
        return order, np.searchsorted(self.cols[order], np.arange(self.width + 1))

    def entries_of(self, columns: Ints) -> Ints:
        """Indices of the entries of some columns, column by column."""
        order, start = self.by_column
        sizes = start[columns + 1] - start[columns]
        before = np.concatenate([[0], np.cumsum(sizes)])
        entries: Ints = order[np.arange(int(before[-1])) + np.repeat(start[columns] - before[:-1], sizes)]
        return entries

    @cached_property
    def rule_number(self) -> Ints:
        """For each row a number that stands for its rule."""
        numbers = {rule: i for i, rule in enumerate(dict.fromkeys(self.rule_of))}
        return np.array([numbers[rule] for rule in self.rule_of], dtype=np.int64)

    def within(self, lower: Ints, upper: Ints) -> Model:
        """The same rows over columns with other bounds."""
        model = replace(self, column_lower=lower, column_upper=upper)
        model.__dict__.update(
            {
                name: self.__dict__[name]
                for name in ("owner", "rule_number", "by_column")
                if name in self.__dict__
            }
        )
        return model

    def activity(self, values: Ints | Floats) -> Floats:
        """The value of each row at a point."""
        weights = self.vals * values[self.cols]
        return np.bincount(self.owner, weights=weights, minlength=len(self.lower)).astype(np.float64)

    def some(self, rows: Ints) -> tuple[Ints, Ints, Ints]:
        """Some rows as CSR: columns, coefficients, starts (one more than rows)."""
        sizes = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(sizes)])
        entries = np.arange(int(start[-1])) + np.repeat(self.start[rows] - start[:-1], sizes)
        return self.cols[entries], self.vals[entries], start

    def unlike(self, values: Ints) -> Model:
        """The same model with one more row: the seats taken are not exactly those of `values`."""
        width = self.seats.width
        seated = values[:width] != 0
        apart = Linear(np.arange(width), np.where(seated, 1, -1))
        return self.keeping(Level(0, ("unlike",), apart), int(seated.sum()) - 1)

    def least(self, cost: Linear) -> int:
        """The least a cost can be by the bounds of the columns alone."""
        at_low = cost.vals * self.column_lower[cost.cols]
        at_high = cost.vals * self.column_upper[cost.cols]
        return cost.constant + int(np.minimum(at_low, at_high).sum())

    def rows(self) -> Iterator[tuple[Ints, Ints, int, int]]:
        """Columns, coefficients, lower and upper bound of each row."""
        for i in range(len(self.lower)):
            a, b = int(self.start[i]), int(self.start[i + 1])
            yield self.cols[a:b], self.vals[a:b], int(self.lower[i]), int(self.upper[i])

    def broken_rows(self, values: Ints) -> Ints:
        """Indices of the rows that a full vector of column values breaks."""
        activity = np.zeros(len(self.lower), dtype=np.int64)
        np.add.at(activity, self.owner, self.vals * values[self.cols])
        return np.flatnonzero((activity < self.lower) | (activity > self.upper))


@dataclass(frozen=True)
class Funnel:
    """How the gates narrow the pool: who passes, shape (experts, groups), and per gate (id, bars, left after it)."""

    passes: Mask
    gates: tuple[tuple[str, int, int], ...]


def funnel(problem: Problem) -> Funnel:
    """Applies every hard gate in the order of the rules; an expert is left while some group is open to them."""
    passes = np.ones((len(problem.experts), len(problem.groups)), dtype=bool)
    counts = []
    for rule in problem.rules:
        if isinstance(rule, Gate) and rule.soft is None:
            own = rule.passes(problem)
            own = own if own.ndim == 2 else np.broadcast_to(own[:, None], passes.shape)
            passes = passes & own
            counts.append((rule.id, int((~own.any(axis=1)).sum()), int(passes.any(axis=1).sum())))
    return Funnel(passes, tuple(counts))


def layout(problem: Problem, passes: Mask) -> Seats:
    """The columns for those who pass."""
    for rule in problem.rules:
        if isinstance(rule, Roles):
            chairs, deputies = rule.may(problem)
            return Seats.of(problem, passes, chairs, deputies)
    return Seats.of(problem, passes)


def rows_of(rule: Rule, seats: Seats, no_shows: bool) -> tuple[Block, ...]:
    """The blocks of a rule over some seats; `no_shows`: those of a hard one hold after no-shows too."""
    survives = no_shows and rule.soft is None
    return tuple(
        (surviving_rows(rule, block, seats) if survives else None) or block for block in rule.blocks(seats)
    )


def cost_of(goal: Goal, seats: Seats) -> Linear:
    """What a goal costs over some seats."""
    return goal.cost(seats)


def build(
    problem: Problem,
    seats: Seats,
    *,
    without: frozenset[str] = frozenset(),
    rows: Callable[[Rule, Seats, bool], Sequence[Block]] = rows_of,
    cost: Callable[[Goal, Seats], Linear] = cost_of,
) -> Model:
    """Joins the blocks of all rules but those `without`; soft rules bend by slacks that their level prices. `rows` and
    `cost` may know blocks and costs already."""
    joiner = _Joiner(seats)
    no_shows = any(getattr(rule, "no_shows", False) and rule.id not in without for rule in problem.rules)
    for rule in problem.rules:
        if rule.id in without or (isinstance(rule, Gate) and rule.soft is None):
            continue
        for block in rows(rule, seats, no_shows):
            joiner.add(rule, block)
    return joiner.model(problem.goals, cost)


class _Joiner:
    """Collects blocks, shifting their auxiliaries behind the columns that are there already."""

    def __init__(self, seats: Seats) -> None:
        self.seats = seats
        self.column_lower = [np.zeros(seats.width, dtype=np.int64)]
        self.column_upper = [np.ones(seats.width, dtype=np.int64)]
        self.width = seats.width
        self.sizes: list[Ints] = []
        self.cols: list[Ints] = []
        self.vals: list[Ints] = []
        self.lower: list[Ints] = []
        self.upper: list[Ints] = []
        self.rule_of: list[str] = []
        self.slacks: dict[int, list[tuple[str, int, int]]] = {}

    def _columns(self, lower: Ints, upper: Ints) -> int:
        first = self.width
        self.column_lower.append(lower)
        self.column_upper.append(upper)
        self.width += len(lower)
        return first

    def add(self, rule: Rule, block: Block) -> None:
        shift = self._columns(block.aux_lower, block.aux_upper) - self.seats.width
        cols = np.where(block.cols >= self.seats.width, block.cols + shift, block.cols)
        if rule.soft is None:
            self.column_upper[0][block.forbidden] = 0
            self._rows(rule, np.diff(block.start), cols, block.vals, block.lower, block.upper)
            return
        self.slacks.setdefault(rule.soft, []).extend(
            (rule.id, c, rule.weight) for c in block.forbidden.tolist()
        )
        low, high = np.concatenate(self.column_lower), np.concatenate(self.column_upper)
        for i in range(len(block)):
            a, b = int(block.start[i]), int(block.start[i + 1])
            lower, upper = int(block.lower[i]), int(block.upper[i])
            own, vals = cols[a:b], block.vals[a:b]
            unit = int(block.unit[i])
            if unit == 0:
                self._row(rule, own, vals, lower, upper)
                continue
            weight = rule.weight * int(block.weight[i])
            if lower != -FREE:
                least = int(np.minimum(vals * low[own], vals * high[own]).sum())
                self._bending(rule, own, vals, lower, FREE, unit, lower - least, weight)
            if upper != FREE:
                most = int(np.maximum(vals * low[own], vals * high[own]).sum())
                self._bending(rule, own, vals, -FREE, upper, -unit, most - upper, weight)

    def _rows(self, rule: Rule, sizes: Ints, cols: Ints, vals: Ints, lower: Ints, upper: Ints) -> None:
        self.sizes.append(sizes)
        self.cols.append(cols)
        self.vals.append(vals)
        self.lower.append(lower)
        self.upper.append(upper)
        self.rule_of += [rule.id] * len(sizes)

    def _row(self, rule: Rule, cols: Ints, vals: Ints, lower: int, upper: int) -> None:
        self._rows(rule, np.array([len(cols)]), cols, vals, np.array([lower]), np.array([upper]))

    def _bending(
        self, rule: Rule, cols: Ints, vals: Ints, lower: int, upper: int, unit: int, missed: int, weight: int
    ) -> None:
        """One row with a slack of its own: as far as it can be missed, no further."""
        if missed <= 0:
            return
        room = np.array([-(-missed // abs(unit))], dtype=np.int64)
        slack = self._columns(np.zeros(1, dtype=np.int64), room)
        self._row(rule, np.append(cols, slack), np.append(vals, unit), lower, upper)
        assert rule.soft is not None
        self.slacks.setdefault(rule.soft, []).append((rule.id, slack, weight))

    def model(self, goals: tuple[Goal, ...], cost: Callable[[Goal, Seats], Linear]) -> Model:
        nothing = np.empty(0, dtype=np.int64)
        return Model(
            self.seats,
            np.concatenate(self.column_lower),
            np.concatenate(self.column_upper),
            np.concatenate([[0], np.cumsum(np.concatenate([nothing, *self.sizes]))]),
            np.concatenate([nothing, *self.cols]),
            np.concatenate([nothing, *self.vals]),
            np.concatenate([nothing, *self.lower]),
            np.concatenate([nothing, *self.upper]),
            tuple(self.rule_of),
            tuple(_levels(self.seats, goals, self.slacks, cost)),
        )


def _levels(
    seats: Seats,
    goals: tuple[Goal, ...],
    slacks: Mapping[int, list[tuple[str, int, int]]],
    cost_of_goal: Callable[[Goal, Seats], Linear],
) -> Iterator[Level]:
    for level in sorted({*slacks, *(goal.level for goal in goals)}):
        own = [goal for goal in goals if goal.level == level]
        bent = slacks.get(level, [])
        cost = Linear.of([(column, weight) for _, column, weight in bent])
        for goal in own:
            cost += goal.weight * cost_of_goal(goal, seats)
        parts = (*dict.fromkeys(rule for rule, _, _ in bent), *(goal.id for goal in own))
        yield Level(level, parts, cost.merged(), max((goal.tolerance for goal in own), default=0))
