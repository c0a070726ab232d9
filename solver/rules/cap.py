"""At most so many with the same employer (legal person), region, school, or any other category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from solver.blocks import Block, Linear, Row
from solver.errors import Fault
from solver.facts import MISSING
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Survival, Tightening
from solver.seats import Place, Seats


class Cap(Rule):
    """At most `most` members (of the panel, or of each group) share one value of the category `fact`.

    Unknown values are not one value: each stands for itself.
    """

    rule: Literal["cap"] = "cap"
    fact: str
    most: int = Field(ge=1, le=1000)
    scope: Literal["panel", "group"] = "panel"
    survival: ClassVar[Survival] = "rows"
    tightens: ClassVar[Mapping[str, Tightening]] = {"most": "down", "scope": ("group", "panel")}

    @property
    def local(self) -> bool:
        return self.scope == "group"

    def sees(self, panel: Panel, expert: int) -> Hashable:
        """The value, where enough people share it for the cap to matter."""
        value = panel.fact(self.fact, expert)
        return value if sum(panel.fact(self.fact, e) == value for e in panel.everybody) > self.most else None

    def blocks(self, seats: Seats) -> Iterator[Block]:
        """A row for each value that more people share than may sit."""
        values = seats.problem.facts[self.fact].values
        rows = []
        for g in [None] if self.scope == "panel" else range(len(seats.problem.groups)):
            columns = seats.columns(Place.MEMBER, g)
            of = values[seats.expert[columns]]
            order = columns[np.argsort(of, kind="stable")]
            cuts = np.flatnonzero(np.diff(values[seats.expert[order]])) + 1
            alike = np.split(order, cuts)
            rows += [
                Row(Linear.total(own), upper=self.most)
                for own in alike
                if len(own) > self.most
                and values[seats.expert[own[0]]] != MISSING
                and len(np.unique(seats.expert[own])) > self.most
            ]
        yield Block.of(self, rows)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        parts = [(None, sorted(panel.members))] if self.scope == "panel" else list(enumerate(panel.by_group))
        for group, members in parts:
            by_expert = {e: panel.fact(self.fact, e) for e in members}
            tally = Counter(v for v in by_expert.values() if v is not None)
            crowded = [v for v, n in tally.items() if n > self.most]
            for value in sorted(crowded, key=str) or [v for v, _ in tally.most_common(1)]:
                same = tuple(e for e, v in by_expert.items() if v == value)
                params = (("fact", self.fact), ("same", value))
                yield Measure("rule.cap", len(same), high=self.most, group=group, experts=same, params=params)

    def check(self, problem: Problem) -> None:
        column = problem.facts.get(self.fact)
        if column is None:
            raise Fault(
                "problem.fact_unknown",
                f"rules.{self.id}",
                fact=self.fact,
                known=", ".join(sorted(problem.facts)),
            )
        if column.type != "category":
            raise Fault("problem.fact_not_category", f"rules.{self.id}", fact=self.fact, type=column.type)
