"""How many sit: exact or a range, odd, not a multiple of three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from solver.blocks import Block, Linear, Row
from solver.errors import Fault
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Tightening
from solver.seats import Place, Seats


class PanelSize(Rule):
    """Between `low` and `high` members; odd (Order 40: 单数) and not a multiple of `not_multiple_of` where asked.

    Not a multiple of 3: with a pass mark of two thirds a tie cannot occur at full attendance (P-11 art. 10).
    """

    rule: Literal["panel_size"] = "panel_size"
    low: int = Field(ge=1, le=1000)
    high: int = Field(ge=1, le=1000)
    odd: bool = False
    not_multiple_of: int | None = Field(default=None, ge=2, le=1000)
    tightens: ClassVar[Mapping[str, Tightening]] = {
        "low": "up",
        "high": "down",
        "odd": "up",
        "not_multiple_of": "only",
    }

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every size allowed, rising."""
        return tuple(
            n
            for n in range(self.low, self.high + 1)
            if (n % 2 == 1 or not self.odd) and (self.not_multiple_of is None or n % self.not_multiple_of)
        )

    def blocks(self, seats: Seats) -> Iterator[Block]:
        members = seats.count(Place.MEMBER)
        sizes = self.sizes
        if len(sizes) == 1:
            yield Block.of(self, [Row(members, sizes[0], sizes[0])])
            return
        chosen = range(seats.width, seats.width + len(sizes))
        yield Block.of(
            self,
            [
                Row(Linear.of([(z, 1) for z in chosen]), 1, 1, unit=0),
                Row(members - Linear.of(list(zip(chosen, sizes, strict=True))), 0, 0),
            ],
            [(0, 1)] * len(sizes),
        )

    def measures(self, panel: Panel) -> Iterator[Measure]:
        filled = len(panel.members)
        yield Measure("rule.panel_size", filled, self.low, self.high)
        nearest = min(self.sizes, key=lambda n: (abs(n - filled), n))
        if self.low <= filled <= self.high and nearest != filled:
            kept = (("odd", self.odd), ("not_multiple_of", self.not_multiple_of), ("filled", filled))
            yield Measure("rule.panel_size.parity", abs(nearest - filled), high=0, params=kept)

    def shortfall(self, panel: Panel) -> int:
        """Seats to the nearest size allowed."""
        return min(abs(n - len(panel.members)) for n in self.sizes)

    def check(self, problem: Problem) -> None:
        if not self.sizes:
            raise Fault("problem.size_empty", f"rules.{self.id}", low=self.low, high=self.high)


def sizes_of(problem: Problem) -> tuple[int, ...]:
    """The panel sizes that the hard rules leave, rising; every sum of group sizes where none speaks of it."""
    allowed = set(range(problem.low, problem.high + 1))
    for rule in problem.rules:
        if isinstance(rule, PanelSize) and rule.soft is None:
            allowed &= set(rule.sizes)
    return tuple(sorted(allowed)) or (problem.low,)


def sizes_in(problem: Problem, group: int | None) -> tuple[int, ...]:
    """The sizes that the panel (None) or a group may have, rising."""
    if group is None:
        return sizes_of(problem)
    return tuple(range(problem.groups[group].low, problem.groups[group].high + 1))
