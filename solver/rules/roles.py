"""Chair and deputies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from solver.blocks import Block, Linear, Row
from solver.errors import Fault
from solver.facts import Mask, Where, passes, passing
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule
from solver.seats import Place, Seats


class Roles(Rule):
    """One chair and `deputies_low`..`deputies_high` deputies are members who pass every test of their role.

    When the chair does not come the first deputy presides (Order 40 art. 20).
    """

    rule: Literal["roles"] = "roles"
    chair: tuple[Where, ...] = ()
    deputy: tuple[Where, ...] = ()
    deputies_low: int = Field(default=1, ge=0, le=20)
    deputies_high: int = Field(default=1, ge=0, le=20)

    def may(self, problem: Problem) -> tuple[Mask, Mask]:
        """Who may chair and who may deputise, each of shape (experts,)."""
        facts, day, experts = problem.facts, problem.day, len(problem.experts)
        return passing(self.chair, facts, day, experts), passing(self.deputy, facts, day, experts)

    def blocks(self, seats: Seats) -> Iterator[Block]:
        rows = [
            Row(seats.count(Place.CHAIR), 1, 1),
            Row(seats.count(Place.DEPUTY), self.deputies_low, self.deputies_high),
        ]
        members = seats.by_expert(Place.MEMBER)
        for expert, held in seats.by_expert(Place.CHAIR, Place.DEPUTY).items():
            rows.append(Row(Linear.total(members[expert]) - Linear.total(held), lower=0, unit=0))
        yield Block.of(self, rows)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        facts, day = panel.problem.facts, panel.problem.day

        def fit(expert: int, tests: tuple[Where, ...]) -> bool:
            return expert in panel.members and passes(tests, facts, day, expert)

        chairs = tuple(e for e in (panel.chair,) if e is not None and fit(e, self.chair))
        yield Measure("rule.roles.chair", len(chairs), 1, 1, experts=chairs)
        fitting = tuple(e for e in panel.deputies if fit(e, self.deputy) and e != panel.chair)
        yield Measure(
            "rule.roles.deputies", len(fitting), self.deputies_low, self.deputies_high, experts=fitting
        )
        unfit = tuple(e for e in panel.deputies if e not in fitting)
        if panel.chair is not None and not chairs:
            unfit = (panel.chair, *unfit)
        if unfit:
            yield Measure("rule.roles.unfit", len(unfit), high=0, experts=unfit)

    def check(self, problem: Problem) -> None:
        for name, tests in (("chair", self.chair), ("deputy", self.deputy)):
            for i, test in enumerate(tests):
                test.check(problem.facts, f"rules.{self.id}.{name}.{i}")
        if self.deputies_low > self.deputies_high:
            raise Fault(
                "problem.range_crossed",
                f"rules.{self.id}.deputies_low",
                low=self.deputies_low,
                high=self.deputies_high,
            )
