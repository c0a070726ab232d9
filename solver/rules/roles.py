"""Chair and deputies."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from solver.blocks import Block, Row
from solver.errors import Fault
from solver.facts import Mask, Where, passes, passing
from solver.no_shows import asked
from solver.panel import Finding, Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Survival, Tightening
from solver.seats import Place, Seats


class Roles(Rule):
    """One chair and `deputies_low`..`deputies_high` deputies are members who pass every test of their role.

    When the chair does not come the first deputy presides, then the next (Order 40 art. 20); deputies stand in the
    order of the experts. After no-shows the rule asks, where there may be deputies at all, that somebody presides: how
    many deputies are left does not matter then, nor whether the one who presides could have been chair.
    """

    rule: Literal["roles"] = "roles"
    chair: tuple[Where, ...] = ()
    deputy: tuple[Where, ...] = ()
    deputies_low: int = Field(default=1, ge=0, le=20)
    deputies_high: int = Field(default=1, ge=0, le=20)
    survival: ClassVar[Survival] = "presides"
    tightens: ClassVar[Mapping[str, Tightening]] = {"deputies_low": "up"}

    @property
    def succeeds(self) -> bool:
        """Whether somebody takes the chair when it is empty."""
        return self.deputies_high > 0

    def may(self, problem: Problem) -> tuple[Mask, Mask]:
        """Who may chair and who may deputise, each of shape (experts,)."""
        facts, day, experts = problem.facts, problem.day, len(problem.experts)
        return passing(self.chair, facts, day, experts), passing(self.deputy, facts, day, experts)

    def sees(self, panel: Panel, expert: int) -> Hashable:
        """Who holds a role; all others are alike."""
        return expert if expert == panel.chair or expert in panel.deputies else None

    def blocks(self, seats: Seats) -> Iterator[Block]:
        yield Block.of(
            self,
            [
                Row(seats.count(Place.CHAIR), 1, 1),
                Row(seats.count(Place.DEPUTY), self.deputies_low, self.deputies_high),
            ],
        )
        held = np.concatenate([seats.columns(Place.CHAIR), seats.columns(Place.DEPUTY)])
        seat_of = seats.members_of(held)
        seat = np.unique(seat_of)
        yield Block.grouped(
            self,
            np.concatenate([seat_of, seat]),
            np.concatenate([held, seat]),
            vals=np.concatenate([np.ones(len(held), dtype=np.int64), -np.ones(len(seat), dtype=np.int64)]),
            upper=0,
            unit=0,
        )

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

    def findings_after(self, meeting: Panel) -> Iterator[Finding]:
        """Whether somebody presides."""
        if self.succeeds and meeting.chair is None:
            yield Finding(self.id, Measure("rule.roles.presides", 0, low=1))

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
        for scenario in asked(problem) if self.soft is None and self.succeeds else ():
            absent = scenario.absent
            if not scenario.anywhere:
                absent = min((scenario.within(group.alternates) for group in problem.groups), default=0)
            if absent > self.deputies_high:
                raise Fault(
                    "problem.deputies_few",
                    f"rules.{self.id}.deputies_high",
                    deputies=self.deputies_high,
                    absent=absent,
                )
