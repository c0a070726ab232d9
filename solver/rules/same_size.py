"""Groups as large as they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from solver.blocks import Block, Row
from solver.errors import Fault
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule
from solver.seats import Place, Seats


class SameSize(Rule):
    """Each group in `sizes` (group id -> number) has so many members. Soft, every seat more or fewer counts."""

    rule: Literal["same_size"] = "same_size"
    sizes: dict[str, int]

    def blocks(self, seats: Seats) -> Iterator[Block]:
        yield Block.of(
            self,
            [
                Row(seats.count(Place.MEMBER, g), self.sizes[group.id], self.sizes[group.id])
                for g, group in enumerate(seats.problem.groups)
                if group.id in self.sizes
            ],
        )

    def measures(self, panel: Panel) -> Iterator[Measure]:
        for g, group in enumerate(panel.problem.groups):
            if group.id in self.sizes:
                size, members = self.sizes[group.id], panel.by_group[g]
                yield Measure("rule.same_size", len(members), size, size, group=g, experts=members)

    def check(self, problem: Problem) -> None:
        groups = [group.id for group in problem.groups]
        for group in self.sizes:
            if group not in groups:
                raise Fault(
                    "panel.group_unknown", f"rules.{self.id}.sizes", group=group, known=", ".join(groups)
                )
