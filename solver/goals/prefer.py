"""Prefer experts by a fact: least recently served, lighter load, better credit."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from solver.blocks import Linear
from solver.errors import Fault
from solver.facts import MISSING
from solver.goals.base import Goal, over_places, over_seated
from solver.panel import Panel
from solver.problem import Problem
from solver.seats import Seats

WORST = 100


class Prefer(Goal):
    """Each person costs 0 at `best` of the integer `fact` or beyond, 100 at `worst` or beyond, in proportion between;
    `unknown` where the fact is unknown (e.g. 0 for someone who never served)."""

    goal: Literal["prefer"] = "prefer"
    fact: str
    best: int
    worst: int
    unknown: int = Field(default=WORST, ge=0, le=WORST)

    def price(self, value: int | None) -> int:
        if value is None:
            return self.unknown
        span = self.worst - self.best
        return min(WORST, max(0, WORST * (value - self.best) // span))

    def cost(self, seats: Seats) -> Linear:
        values = seats.problem.facts[self.fact].values
        priced = np.clip(WORST * (values - self.best) // (self.worst - self.best), 0, WORST)
        return over_places(seats, np.where(values == MISSING, self.unknown, priced)[:, None])

    def value(self, panel: Panel) -> int:
        def price(expert: int, group: int) -> int:
            shown = panel.fact(self.fact, expert)
            return self.price(None if shown is None else int(shown))

        return over_seated(panel, price)

    def check(self, problem: Problem) -> None:
        column = problem.facts.get(self.fact)
        where = f"goals.{self.id}"
        if column is None:
            raise Fault("problem.fact_unknown", where, fact=self.fact, known=", ".join(sorted(problem.facts)))
        if column.type not in ("integer", "boolean"):
            raise Fault("problem.fact_not_integer", where, fact=self.fact, type=column.type)
        if self.best == self.worst:
            raise Fault("problem.range_crossed", where, low=self.best, high=self.worst)
