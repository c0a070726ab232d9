"""No-shows on the day of the meeting, as rows: what keeps a hard rule when people do not come (docs/alternates.md).

Take a row a.x <= U over the members (a lower bound is the same row negated) and a group of which j members stay away,
its first j alternates called. The row grows by what the called bring, less what the absent take along: at worst the j
smallest coefficients. Every step between neighbouring levels of the coefficients may be looked at by itself. Summed
over the steps, times their height, the growth is

    (how many of the first j alternates are above the step)  -  max(0, j - how many members are below it).

The first part is linear. The second is the room that the absent make, and there is none unless fewer than j members
are below the step. So let `full(i)`, i = 1..j, be 0/1 and allowed to be 1 only if fewer than i members are below; the
room is their sum. It is left out wherever it cannot matter (`_Side.may_fill`): too few people are above the step to
fill the group and have an alternate left, or the group so filled would break the row as it stands. A cap of 2 in
groups of 3 never needs it, nor does a least number of peers: there, counting alternates as if they sat is exact.

- In every group at once, each group adds its worst growth, at least 0. With one absent that is, for each step, a 0/1
  `gain` >= first alternate above - full(1), one row with `full` written into it; the sum of the worsts is the worst
  sum, since the steps of a group all grow or all shrink. With more absent it is one auxiliary over the growth of
  each j.
- Anywhere, there is one row for each way to spread the absent over the groups, but for ways that another one covers.

Each row is then exact: it holds just where the row of the rule holds after every absence. With `exact` off, the upper
bounds of the rules ignore the room: sufficient, and simpler.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from solver.blocks import FREE, Block, Linear, Row
from solver.facts import Ints
from solver.no_shows import NoShows, asked
from solver.rules.base import Rule
from solver.rules.roles import Roles
from solver.seats import Place, Seats


def surviving_rows(rule: Rule, block: Block, seats: Seats, *, bends: bool = False) -> Block | None:
    """A block of a hard rule that holds after the no-shows asked for; None where nothing needs adding.

    It has every row of the block, kept after no-shows or as it is, and so may stand in its place. Its auxiliaries are
    the block's own, then the new ones. `bends`: the rows are to give way at a price, so that no room may be left out on
    the ground that it would break the row as it stands.
    """
    scenarios = asked(seats.problem)
    if rule.survival == "none" or not scenarios or not (block.unit != 0).any():
        return None
    writer = _Writer(seats, block, bends)
    for scenario in scenarios:
        if isinstance(rule, Roles):
            writer.preside(rule, scenario)
        else:
            writer.survive(scenario)
    return Block.of(rule, [*writer.kept, *writer.added], writer.aux) if writer.added else None


@dataclass(frozen=True, slots=True)
class _Step:
    """A step between two levels of a row's coefficients in a group, up to `level`, `height` tall. `some` are the member
    columns above it or, where `rest`, those below it; `above` and `below` count the people."""

    group: int
    level: int
    height: int
    some: Ints
    rest: bool
    above: int
    below: int

    @property
    def key(self) -> tuple[int, bool, bytes]:
        return self.group, self.rest, self.some.tobytes()


class _Table:
    """Where the member columns of each row (first index) and group stand among the entries of a block, and the least
    and the largest coefficient there. Entries rise by column within a row."""

    def __init__(self, seats: Seats, block: Block) -> None:
        width = int(block.cols.max(initial=0)) + 1
        spans = [seats.spans[Place.MEMBER, g] for g in range(len(seats.problem.groups))]
        limits = np.minimum([*(start for start, _ in spans), spans[-1][1]], width)
        owner = np.repeat(np.arange(len(block)), np.diff(block.start))
        queries = (np.arange(len(block)) * width)[:, None] + limits
        self.cuts = np.searchsorted(owner * width + block.cols, queries)
        self.sizes = [stop - start for start, stop in spans]
        edges = np.append(self.cuts.ravel(), len(block.cols))
        padded = np.append(block.vals, 0)
        there = np.diff(self.cuts, axis=1) > 0
        shape = self.cuts.shape
        self.lowest = np.where(there, np.minimum.reduceat(padded, edges)[:-1].reshape(shape)[:, :-1], 0)
        self.highest = np.where(there, np.maximum.reduceat(padded, edges)[:-1].reshape(shape)[:, :-1], 0)


class _Side:
    """One bound of a row of a block, written as vals.x <= upper."""

    def __init__(self, seats: Seats, block: Block, table: _Table, row: int, sign: int, bends: bool) -> None:
        self.seats, self.block, self.sizes = seats, block, table.sizes
        self.upper = int(block.upper[row]) if sign > 0 else -int(block.lower[row])
        self.bounds_above, self.bends = sign > 0, bends
        first = int(block.start[row])
        own = slice(first, int(block.start[row + 1]))
        self.cols, self.vals = block.cols[own], sign * block.vals[own]
        self.unit, self.weight = int(block.unit[row]), int(block.weight[row])
        self.cuts = (table.cuts[row] - first).tolist()
        ends = (table.lowest[row].tolist(), table.highest[row].tolist())
        self.ends = (
            list(zip(*ends, strict=True)) if sign > 0 else [(-b, -a) for a, b in zip(*ends, strict=True)]
        )
        self.steps = {
            g: steps
            for g, group in enumerate(seats.problem.groups)
            if group.alternates and (steps := list(self._steps(g)))
        }

    def row(self, more: Sequence[Linear]) -> Row:
        """The row with more added to its left side."""
        expression = Linear(
            np.concatenate([self.cols, *(m.cols for m in more)]),
            np.concatenate([self.vals, *(m.vals for m in more)]),
            sum(m.constant for m in more),
        )
        return Row(expression, upper=self.upper, unit=self.unit, weight=self.weight)

    def _steps(self, g: int) -> Iterator[_Step]:
        a, b = self.cuts[g], self.cuts[g + 1]
        zeros, (lowest, highest) = self.sizes[g] - (b - a), self.ends[g]
        cols, vals = self.cols[a:b], self.vals[a:b]
        if lowest == highest:
            if lowest > 0 and zeros:
                yield _Step(g, lowest, lowest, cols, False, b - a, zeros)
            elif lowest < 0 and zeros:
                yield _Step(g, 0, -lowest, cols, True, zeros, b - a)
            return
        levels = np.unique(np.append(vals, 0) if zeros else vals).tolist()
        for below, level in pairwise(levels):
            up = vals >= level
            above = int(up.sum()) + (zeros if level <= 0 else 0)
            rest = level <= 0 if zeros else 2 * above > len(cols)
            yield _Step(
                g, level, level - below, cols[~up] if rest else cols[up], rest, above, self.sizes[g] - above
            )

    def may_shrink(self, g: int, i: int, scenario: NoShows) -> bool:
        """Whether an i-th absent member of a group may make room somewhere in the row."""
        return any(self.may_fill(step, i, scenario) for step in self.steps[g])

    def may_fill(self, step: _Step, i: int, scenario: NoShows) -> bool:
        """Whether fewer than i members of a group may be below a step in a panel that keeps the row (any panel, if the row
        bends), while, where it is the only step, somebody above it is left to be an alternate; never where the room is to
        be ignored."""
        g, group = step.group, self.seats.problem.groups[step.group]
        left = 1 if len(self.steps[g]) == 1 else 0
        if step.above < group.low - i + 1 + left or (self.bounds_above and not scenario.exact):
            return False
        if self.bends:
            return True
        lowest = (
            self.ends[g][0] if self.cuts[g + 1] - self.cuts[g] == self.sizes[g] else min(0, self.ends[g][0])
        )
        filled = min(
            max(0, size - i + 1) * step.level + min(i - 1, size) * lowest for size in (group.low, group.high)
        )
        return bool(sum(self._least) - self._least[g] + filled <= self.upper)

    @cached_property
    def _least(self) -> list[int]:
        """The least that each group, and last all other columns, may add to the row."""
        least = [
            self._least_of(g, group.low, group.high) for g, group in enumerate(self.seats.problem.groups)
        ]
        cols, vals = self.cols[self.cuts[-1] :], self.vals[self.cuts[-1] :]
        for col, val in zip(cols.tolist(), vals.tolist(), strict=True):
            aux = col - self.seats.width
            bounds = (0, 1) if aux < 0 else (int(self.block.aux_lower[aux]), int(self.block.aux_upper[aux]))
            least.append(min(val * bound for bound in bounds))
        return least

    def _least_of(self, g: int, low: int, high: int) -> int:
        a, b = self.cuts[g], self.cuts[g + 1]
        zeros, (lowest, highest) = self.sizes[g] - (b - a), self.ends[g]
        if lowest == highest and zeros:
            return int(max(0, low - zeros) * lowest if lowest > 0 else min(b - a, high) * lowest)
        smallest = np.sort(np.append(self.vals[a:b], np.zeros(min(zeros, high), dtype=np.int64)))[:high]
        return int(np.append(0, np.cumsum(smallest))[low:].min(initial=0 if len(smallest) < low else FREE))


class _Writer:
    """Writes the rows of one block anew. Auxiliaries that say the same are made once for all its rows."""

    def __init__(self, seats: Seats, block: Block, bends: bool) -> None:
        self.seats, self.block = seats, block
        self.aux: list[tuple[int, int]] = list(
            zip(block.aux_lower.tolist(), block.aux_upper.tolist(), strict=True)
        )
        self.made: dict[Hashable, Linear] = {}
        self.kept = [block.row(i) for i in np.flatnonzero(block.unit == 0).tolist()]
        self.sides: list[_Side] = []
        self.added: list[Row] = []
        table = _Table(seats, block)
        for row in np.flatnonzero(block.unit != 0).tolist():
            for sign, bound in ((1, int(block.upper[row])), (-1, int(block.lower[row]))):
                if abs(bound) != FREE:
                    side = _Side(seats, block, table, row, sign, bends)
                    if side.steps:
                        self.sides.append(side)
                    else:
                        self.kept.append(side.row(()))

    def survive(self, scenario: NoShows) -> None:
        """Adds the rows that keep every bound of the block in a scenario."""
        for side in self.sides:
            if scenario.anywhere:
                self._anywhere(side, scenario)
            else:
                self._in_every_group(side, scenario)

    def _in_every_group(self, side: _Side, scenario: NoShows) -> None:
        worst: list[Linear] = []
        for g, steps in side.steps.items():
            most = scenario.within(self.seats.problem.groups[g].alternates)
            if most == 1:
                worst += [
                    step.height
                    * (self._gain(step) if side.may_fill(step, 1, scenario) else self._above(step, 1))
                    for step in steps
                ]
                continue
            growths = [
                self._growth(side, steps, j, scenario)
                for j in range(1, most + 1)
                if j == most or side.may_shrink(g, j + 1, scenario)
            ]
            if not any(side.may_shrink(g, j, scenario) for j in range(1, most + 1)):
                worst += growths
                continue
            gain = self._new(0, most * sum(step.height for step in steps))
            self.added += [Row(growth - gain, upper=0, unit=0) for growth in growths]
            worst.append(gain)
        self.added.append(side.row(worst))

    def _anywhere(self, side: _Side, scenario: NoShows) -> None:
        groups = list(side.steps)
        reach = [scenario.within(self.seats.problem.groups[g].alternates) for g in groups]
        for spread in _spreads(reach, scenario.absent):
            left = scenario.absent - sum(spread)
            covered = left and any(
                j < most and not side.may_shrink(g, j + 1, scenario)
                for g, j, most in zip(groups, spread, reach, strict=True)
            )
            if not covered:
                growths = (
                    self._growth(side, side.steps[g], j, scenario)
                    for g, j in zip(groups, spread, strict=True)
                )
                self.added.append(side.row(list(growths)))

    def preside(self, rule: Roles, scenario: NoShows) -> None:
        """Adds the rows by which somebody of chair and deputies is there in a scenario: as many of them in all, or in
        one of the groups, that not everyone can be absent."""
        if not rule.succeeds:
            return
        if scenario.anywhere:
            self.added.append(Row(self._role_holders(None), lower=scenario.absent + 1))
            return
        safe: list[tuple[int, int]] = []
        for g, group in enumerate(self.seats.problem.groups):
            needed = scenario.within(group.alternates) + 1
            if needed <= 1 + rule.deputies_high:
                self.aux.append((0, 1))
                safe.append((self.seats.width + len(self.aux) - 1, 1))
                self.added.append(
                    Row(self._role_holders(g) - Linear.of([(safe[-1][0], needed)]), lower=0, unit=0)
                )
        self.added.append(Row(Linear.of(safe), lower=1))

    def _role_holders(self, group: int | None) -> Linear:
        return self.seats.count(Place.CHAIR, group) + self.seats.count(Place.DEPUTY, group)

    def _growth(self, side: _Side, steps: Sequence[_Step], absent: int, scenario: NoShows) -> Linear:
        """By how much the row grows at worst when exactly so many members of a group are absent."""
        growth = Linear.of([])
        for step in steps:
            for i in range(1, absent + 1):
                growth += step.height * self._above(step, i)
                if side.may_fill(step, i, scenario):
                    growth -= step.height * self._full(step, i)
        return growth

    def _above(self, step: _Step, order: int) -> Linear:
        """Whether the alternate called `order`-th is above the step."""
        some = Linear.total(self.seats.called(step.some, step.group, order))
        return -some + 1 if step.rest else some

    def _gain(self, step: _Step) -> Linear:
        """Whether the first alternate is above the step and some member is below: 1 unless `first - gain` may be full."""
        return self._once(
            ("gain", *step.key), lambda gain: self._only_full(step, 1, self._above(step, 1) - gain)
        )

    def _full(self, step: _Step, i: int) -> Linear:
        """1 only if fewer than i members are below the step."""
        return self._once(("full", i, *step.key), lambda full: self._only_full(step, i, full))

    def _only_full(self, step: _Step, i: int, full: Linear) -> Iterator[Row]:
        """Lets an expression of at most 1 be 1 only if fewer than i members are below the step. The second row says no
        more than the first, but sooner, where the size of the group is open: it spares the engines fractions."""
        group = self.seats.problem.groups[step.group]
        below, most = self._below(step)
        if most >= i:
            yield Row(below + (most - i + 1) * full, upper=most, unit=0)
        if group.low < group.high and group.low >= i and not step.rest:
            yield Row((group.low - i + 1) * full - Linear.total(step.some), upper=0, unit=0)

    def _below(self, step: _Step) -> tuple[Linear, int]:
        """How many members are below the step, and the most there can be."""
        some = Linear.total(step.some)
        below = some if step.rest else self._size(step.group) - some
        return below, min(step.below, self.seats.problem.groups[step.group].high)

    def _size(self, g: int) -> Linear:
        """How many members a group has: a number, or an auxiliary, so that no other row needs all its columns."""
        group = self.seats.problem.groups[g]
        if group.low == group.high:
            return Linear.of([], group.low)

        def rows(size: Linear) -> Iterator[Row]:
            yield Row(self.seats.count(Place.MEMBER, g) - size, 0, 0, unit=0)

        return self._once(("size", g), rows, group.low, group.high)

    def _once(
        self, key: Hashable, rows: Callable[[Linear], Iterator[Row]], lower: int = 0, upper: int = 1
    ) -> Linear:
        if key not in self.made:
            self.made[key] = self._new(lower, upper)
            self.added += rows(self.made[key])
        return self.made[key]

    def _new(self, lower: int, upper: int) -> Linear:
        self.aux.append((lower, upper))
        return Linear.of([(self.seats.width + len(self.aux) - 1, 1)])


def _spreads(reach: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Every way to take at most `most` in all, at most reach[g] from each."""
    if not reach:
        yield ()
        return
    for own in range(min(reach[0], most) + 1):
        for rest in _spreads(reach[1:], most - own):
            yield (own, *rest)
