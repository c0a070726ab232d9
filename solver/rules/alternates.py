"""Alternates: enough of them in every group, and a panel that stays lawful when people do not come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import comb
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from solver.blocks import Block, Linear, Row
from solver.errors import Fault
from solver.no_shows import NoShows, broken_after
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Tightening
from solver.seats import Place, Seats

MOST_WAYS = 2000
"""Ways to spread absences over the groups: more rows than that for each row of a rule are not written."""


class Alternates(Rule):
    """Each group has its number of alternates in calling order. With `no_shows`, after up to `absent` members of every
    group at once (or of the whole panel, if `anywhere`) stay away on the day, calling the alternates of their groups
    in order keeps every hard rule. solver.survival adds the rows; `form` `sufficient` asks for simpler ones, which
    forbid some panels that would survive. Only a hard rule asks for this: a soft one counts alternates.
    """

    rule: Literal["alternates"] = "alternates"
    no_shows: bool = True
    absent: int = Field(default=1, ge=1, le=20)
    anywhere: bool = False
    form: Literal["exact", "sufficient"] = "exact"
    tightens: ClassVar[Mapping[str, Tightening]] = {"no_shows": "up", "absent": "up"}

    @property
    def scenario(self) -> NoShows:
        return NoShows(self.absent, self.anywhere, self.form == "exact")

    @property
    def sufficient(self) -> bool:
        return self.no_shows and self.form == "sufficient"

    def blocks(self, seats: Seats) -> Iterator[Block]:
        rows = []
        for g, group in enumerate(seats.problem.groups):
            places = range(1, min(seats.ordered, group.alternates) + 1)
            rows += [Row(Linear.total(np.arange(*seats.turns[g, order])), 1, 1) for order in places]
            further = group.alternates - seats.ordered
            rows += [Row(seats.count(Place.FURTHER, g), further, further)] if further > 0 else []
        yield Block.of(self, rows)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        for g, group in enumerate(panel.problem.groups):
            waiting = panel.alternates[g] if g < len(panel.alternates) else ()
            yield Measure(
                "rule.alternates", len(waiting), group.alternates, group.alternates, group=g, experts=waiting
            )
        if self.no_shows and self.soft is None:
            found = broken_after(panel, self.scenario)
            yield Measure(
                "rule.alternates.no_shows",
                len(found.absent),
                high=0,
                experts=found.absent,
                params=(
                    ("each", None if self.anywhere else self.absent),
                    ("anywhere", self.absent if self.anywhere else None),
                    ("tried", found.tried),
                    ("untried", True if found.rule is None and not found.all else None),
                    ("broken_rule", found.rule),
                ),
            )

    def check(self, problem: Problem) -> None:
        if not (self.no_shows and self.anywhere and self.soft is None):
            return
        ways = comb(len(problem.groups) + self.absent, self.absent)
        if ways > MOST_WAYS:
            raise Fault(
                "problem.ways_many", f"rules.{self.id}.absent", absent=self.absent, ways=ways, most=MOST_WAYS
            )
        for g, group in enumerate(problem.groups):
            if group.alternates < self.absent:
                raise Fault(
                    "problem.alternates_few",
                    f"groups.{g}.alternates",
                    group=group.name,
                    alternates=group.alternates,
                    absent=self.absent,
                    rule=self.id,
                )
