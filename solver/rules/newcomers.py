"""Rotation: a share of the members is new against the panels before."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from solver.blocks import Block
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Share, Survival, Tightening
from solver.rules.share import seats_for, share_rows
from solver.seats import Seats


class Newcomers(Rule):
    """At least `least` of the members sat in none of the last `back` panels. Holds by itself where none sat before."""

    rule: Literal["newcomers"] = "newcomers"
    least: Share
    back: int = Field(default=1, ge=1, le=50)
    survival: ClassVar[Survival] = "rows"
    tightens: ClassVar[Mapping[str, Tightening]] = {"least": "up", "back": "up"}

    def sat(self, problem: Problem) -> frozenset[int]:
        return frozenset().union(*(p.members for p in problem.previous[: self.back]))

    def sees(self, panel: Panel, expert: int) -> Hashable:
        return expert in self.sat(panel.problem)

    def blocks(self, seats: Seats) -> Iterator[Block]:
        new = seats.problem.everyone()
        new[list(self.sat(seats.problem))] = False
        yield Block.of(self, list(share_rows(seats, None, new, self.least, None)))

    def measures(self, panel: Panel) -> Iterator[Measure]:
        new = tuple(sorted(set(panel.members) - self.sat(panel.problem)))
        yield Measure(
            "rule.newcomers",
            len(new),
            seats_for(self.least, len(panel.members)),
            experts=new,
            params=(("of", len(panel.members)), ("back", self.back)),
        )
