"""Rules that give way at a price: one rule in the place of all that may, for the search to make as cheap as can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from solver.blocks import FREE, Block, Linear, Row
from solver.panel import Measure, Panel
from solver.rules.alternates import Alternates
from solver.rules.apart import Apart
from solver.rules.base import Gate, Rule
from solver.rules.group_size import GroupSize
from solver.seats import PRESENT, Place, Seats
from solver.survival import surviving_rows


class GivingWay(Rule):
    """Each of `parts` may fall short, every unit at the part's own cost.

    A unit is one person too few or too many where the part counts people, one person let in for a gate, one pair for
    people kept apart. Where the problem has a promise about no-shows, what a part falls back to holds after them too: the
    same shortfall covers both. The whole price stays within `budget`; soft, it is made small as well. `sizes` are the group sizes that a part
    about them asks for (those of the problem are then wide open).
    """

    rule: Literal["giving_way"] = "giving_way"
    parts: tuple[Rule, ...]
    budget: int | None = None
    sizes: tuple[tuple[int, int], ...] = ()

    def blocks(self, seats: Seats) -> Iterator[Block]:
        made = _Made(seats)
        prices = [(made.units(self, part), part.cost) for part in self.parts]
        if self.soft is not None:
            made.rows += [Row(units, upper=0, weight=cost) for units, cost in prices]
        if self.budget is not None:
            total = Linear.of([])
            for units, cost in prices:
                total += cost * units
            made.rows.append(Row(total, upper=self.budget, unit=0))
        yield Block.of(self, made.rows, made.aux)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        """Nothing: how far the parts fall short is told by the parts themselves."""
        return iter(())


class Promise(Alternates):
    """What alternates promise to hold after no-shows, apart from their number."""

    def blocks(self, seats: Seats) -> Iterator[Block]:
        return iter(())

    def measures(self, panel: Panel) -> Iterator[Measure]:
        return (measure for measure in super().measures(panel) if measure.code == "rule.alternates.no_shows")

    @staticmethod
    def of(rule: Alternates) -> Promise:
        return Promise.model_validate({**rule.model_dump(), "id": f"{rule.id}_promise", "relaxable": False})


@dataclass
class _Made:
    """Rows and auxiliaries of the one block as they come."""

    seats: Seats
    rows: list[Row] = field(default_factory=list)
    aux: list[tuple[int, int]] = field(default_factory=list)

    def units(self, whole: GivingWay, part: Rule) -> Linear:
        """Adds the rows of a part; the sum that says by how many units it falls short."""
        if isinstance(part, Gate):
            return self._admitted(part)
        if isinstance(part, Apart):
            return self._together()
        if isinstance(part, GroupSize):
            rows = [Row(self.seats.count(Place.MEMBER, g), *size) for g, size in enumerate(whole.sizes)]
            return self._short(part, Block.of(part, rows), no_shows=False)
        units = Linear.of([])
        for block in part.blocks(self.seats):
            if part.survival == "rows":
                units += self._short(part, block, no_shows=True)
            else:
                units += self._short(part, surviving_rows(part, block, self.seats) or block, no_shows=False)
        return units

    def _admitted(self, gate: Gate) -> Linear:
        seats = self.seats
        columns = np.concatenate([seats.columns(place) for place in PRESENT])
        passes, experts = gate.passes(seats.problem), seats.expert[columns]
        return Linear.total(
            columns[~(passes[experts] if passes.ndim == 1 else passes[experts, seats.group[columns]])]
        )

    def _together(self) -> Linear:
        """One unit for each pair in conflict that is present."""
        pairs, own = self.seats.problem.between, self.seats.by_expert(*PRESENT)
        here = np.isin(pairs.left, list(own)) & np.isin(pairs.right, list(own)) & (pairs.left != pairs.right)
        ends = np.sort(np.stack([pairs.left[here], pairs.right[here]], axis=1), axis=1)
        met = []
        for a, b in np.unique(ends, axis=0).tolist():
            both = self._new(1)
            two = Linear.total(np.concatenate([own[a], own[b]]))
            self.rows.append(Row(two - Linear.of([(both, 1)]), upper=1, unit=0))
            met.append((both, 1))
        return Linear.of(met)

    def _short(self, part: Rule, block: Block, no_shows: bool) -> Linear:
        """Every row of a block, with a shortfall of its own on each side that can be missed."""
        known = list(zip(block.aux_lower.tolist(), block.aux_upper.tolist(), strict=True))
        low = np.append(np.zeros(self.seats.width, dtype=np.int64), block.aux_lower)
        high = np.append(np.ones(self.seats.width, dtype=np.int64), block.aux_upper)
        at = len(self.aux)
        self.aux += known
        units = []
        for i in range(len(block)):
            for side in _sides(block.row(i), bends=not isinstance(part, Alternates)):
                cols, vals = side.expression.cols, side.expression.vals
                missed = (
                    side.lower - int(np.minimum(vals * low[cols], vals * high[cols]).sum())
                    if side.upper == FREE
                    else int(np.maximum(vals * low[cols], vals * high[cols]).sum()) - side.upper
                )
                alone = Block.of(part, [side], known)
                if side.unit == 0:
                    self._bend(alone, at, len(known), None, 0)
                elif missed > 0:
                    short = self._new(-(-missed // side.unit))
                    again = surviving_rows(part, alone, self.seats, bends=True) if no_shows else None
                    self._bend(again or alone, at, len(known), short, side.unit)
                    units.append((short, side.weight))
        return Linear.of(units)

    def _bend(self, block: Block, at: int, known: int, short: int | None, unit: int) -> None:
        """Adds rows, those that may bend by the column `short`. The first `known` auxiliaries are there already, from the
        `at`-th on; the others are new."""
        width = self.seats.width
        place = np.append(np.arange(at, at + known), len(self.aux) + np.arange(len(block.aux_lower) - known))
        self.aux += list(zip(block.aux_lower.tolist(), block.aux_upper.tolist(), strict=True))[known:]
        for i in range(len(block)):
            row = block.row(i)
            cols = row.expression.cols.copy()
            cols[cols >= width] = width + place[cols[cols >= width] - width]
            expression = Linear(cols, row.expression.vals)
            if short is not None and row.unit:
                expression += Linear.of([(short, unit if row.upper == FREE else -unit)])
            self.rows.append(Row(expression, row.lower, row.upper, unit=0))

    def _new(self, high: int) -> int:
        self.aux.append((0, high))
        return self.seats.width + len(self.aux) - 1


def _sides(row: Row, *, bends: bool) -> Iterator[Row]:
    """The lower and the upper side of a row by themselves; upper ones never bend where `bends` is false."""
    if row.unit == 0:
        yield row
        return
    if row.lower != -FREE:
        yield replace(row, upper=FREE)
    if row.upper != FREE:
        yield replace(row, lower=-FREE, unit=row.unit if bends else 0)
