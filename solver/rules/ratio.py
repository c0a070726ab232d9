"""Compositions such as 2:2:6, in whole seats."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from solver.apportion import apportion
from solver.blocks import Block, Linear, Row
from solver.facts import Mask, Where, passes, passing
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Survival, Tightening
from solver.rules.panel_size import sizes_of
from solver.seats import Place, Seats


class RatioPart(BaseModel):
    """One part: those who pass every test in `where` get seats in proportion to `weight`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    where: tuple[Where, ...] = Field(min_length=1)
    weight: int = Field(ge=1, le=1000)

    def holders(self, problem: Problem) -> Mask:
        return passing(self.where, problem.facts, problem.day, len(problem.experts))


class Ratio(Rule):
    """Each part holds its seats by largest remainder of the seats filled, give or take `tolerance` (P-JL13 art. 24)."""

    rule: Literal["ratio"] = "ratio"
    parts: tuple[RatioPart, ...] = Field(min_length=2)
    tolerance: int = Field(default=0, ge=0, le=100)
    survival: ClassVar[Survival] = "rows"
    tightens: ClassVar[Mapping[str, Tightening]] = {"tolerance": "down"}

    def targets(self, filled: int) -> tuple[int, ...]:
        return apportion(filled, [part.weight for part in self.parts])

    def sees(self, panel: Panel, expert: int) -> Hashable:
        facts, day = panel.problem.facts, panel.problem.day
        return tuple(passes(part.where, facts, day, expert) for part in self.parts)

    def blocks(self, seats: Seats) -> Iterator[Block]:
        problem = seats.problem
        sizes = sizes_of(problem)
        held = [seats.count(Place.MEMBER, None, part.holders(problem)) for part in self.parts]
        if len(sizes) == 1:
            targets = self.targets(sizes[0])
            rows = [
                Row(h, t - self.tolerance, t + self.tolerance) for h, t in zip(held, targets, strict=True)
            ]
            yield Block.of(self, rows)
            return
        chosen = range(seats.width, seats.width + len(sizes))
        rows = [
            Row(Linear.of([(z, 1) for z in chosen]), 1, 1, unit=0),
            Row(seats.count(Place.MEMBER) - Linear.of(list(zip(chosen, sizes, strict=True))), 0, 0, unit=0),
        ]
        for i, h in enumerate(held):
            target = Linear.of([(z, self.targets(n)[i]) for z, n in zip(chosen, sizes, strict=True)])
            rows.append(Row(h - target, -self.tolerance, self.tolerance))
        yield Block.of(self, rows, [(0, 1)] * len(sizes))

    def measures(self, panel: Panel) -> Iterator[Measure]:
        facts, day = panel.problem.facts, panel.problem.day
        for part, target in zip(self.parts, self.targets(len(panel.members)), strict=True):
            held = tuple(e for e in sorted(panel.members) if passes(part.where, facts, day, e))
            yield Measure(
                "rule.ratio",
                len(held),
                target - self.tolerance,
                target + self.tolerance,
                experts=held,
                params=(("part", part.name), ("target", target), ("of", len(panel.members))),
            )

    def check(self, problem: Problem) -> None:
        for i, part in enumerate(self.parts):
            for j, test in enumerate(part.where):
                test.check(problem.facts, f"rules.{self.id}.parts.{i}.where.{j}")
