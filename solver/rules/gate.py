"""A gate on one fact: in the pool, trained, rank, age, credit, terms, availability."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from solver.facts import Mask, Where
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Gate, Rule


class FactGate(Gate):
    """Whoever sits, or waits as an alternate, passes the test `where`."""

    rule: Literal["gate"] = "gate"
    where: Where

    def passes(self, problem: Problem) -> Mask:
        return self.where.mask(problem.facts, problem.day)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        facts, day = panel.problem.facts, panel.problem.day
        failing = tuple(e for e in panel.everybody if not self.where.holds(facts, day, e))
        test = (("fact", self.where.fact), ("op", self.where.op), ("than", self.where.value))
        yield Measure("rule.gate", len(failing), high=0, experts=failing, params=test)

    def implies(self, other: Rule) -> bool:
        """A test that is harder to pass lets fewer people in."""
        return isinstance(other, FactGate) and self.where.implies(other.where)

    def check(self, problem: Problem) -> None:
        self.where.check(problem.facts, f"rules.{self.id}.where")
