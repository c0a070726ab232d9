"""A panel unlike others: enough members of each of them are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from solver.blocks import Block, Linear, Row
from solver.errors import Fault
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule, Tightening
from solver.seats import PRESENT, Place, Seats


class Unlike(Rule):
    """Of the people of each panel in `panels` (expert ids), at least `out` are no members, nor, with `waiting`, alternates.

    Soft, the panel that shares most people is made to share as few as possible, where all are of one size. Hard with
    `out` as great as a list is long, nobody of the list sits.
    """

    rule: Literal["unlike"] = "unlike"
    panels: tuple[tuple[str, ...], ...] = Field(min_length=1)
    out: int = Field(ge=1)
    waiting: bool = False
    tightens: ClassVar[Mapping[str, Tightening]] = {"out": "up"}

    def blocks(self, seats: Seats) -> Iterator[Block]:
        """One auxiliary, the fewest left out: shared + fewest <= size for each panel, and fewest >= out."""
        index = {id_: e for e, id_ in enumerate(seats.problem.experts)}
        fewest = seats.width
        rows = [Row(Linear.of([(fewest, 1)]), lower=self.out)]
        for panel in self.panels:
            theirs = np.zeros(len(index), dtype=bool)
            theirs[[index[id_] for id_ in panel]] = True
            places = PRESENT if self.waiting else (Place.MEMBER,)
            shared = [Linear.total(seats.columns(place, among=theirs)) for place in places]
            rows.append(Row(sum(shared, Linear.of([(fewest, 1)])), upper=len(panel), unit=0))
        yield Block.of(self, rows, [(0, min(map(len, self.panels)))])

    def measures(self, panel: Panel) -> Iterator[Measure]:
        people = {panel.problem.experts[e]: e for e in (panel.everybody if self.waiting else panel.members)}
        nearest = min(self.panels, key=lambda other: len(set(other) - people.keys()))
        shared = tuple(sorted(people[id_] for id_ in nearest if id_ in people))
        left_out = len(nearest) - len(shared)
        params = (("shared", len(shared)), ("of", len(nearest)))
        yield Measure("rule.unlike", left_out, self.out, experts=shared, params=params)

    def check(self, problem: Problem) -> None:
        known = set(problem.experts)
        for i, panel in enumerate(self.panels):
            for expert in panel:
                if expert not in known:
                    raise Fault("panel.expert_unknown", f"rules.{self.id}.panels.{i}", expert=expert)
            if len(set(panel)) < len(panel):
                twice = next(expert for expert in panel if panel.count(expert) > 1)
                raise Fault("panel.seated_twice", f"rules.{self.id}.panels.{i}", expert=twice)
