"""People who have accepted stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from solver.blocks import Block, Linear, Row
from solver.errors import Fault
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Rule
from solver.seats import PRESENT, Seats


class Stays(Rule):
    """Everybody in `people` (expert id -> group id) sits or waits in that group. A lock says that somebody must sit;
    this lets an alternate who has accepted go on waiting, or take a seat of the group."""

    rule: Literal["stays"] = "stays"
    people: dict[str, str]

    def blocks(self, seats: Seats) -> Iterator[Block]:
        experts = {id_: e for e, id_ in enumerate(seats.problem.experts)}
        groups = {group.id: g for g, group in enumerate(seats.problem.groups)}
        rows = []
        for expert, group in self.people.items():
            there = np.concatenate([seats.columns(place, groups[group]) for place in PRESENT])
            rows.append(Row(Linear.total(there[seats.expert[there] == experts[expert]]), lower=1))
        yield Block.of(self, rows)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        problem = panel.problem
        present = {problem.experts[e]: problem.groups[g].id for e, g in panel.members.items()}
        for group, called in zip(problem.groups, panel.alternates, strict=False):
            present.update({problem.experts[e]: group.id for e in called})
        missing = {expert for expert, group in self.people.items() if present.get(expert) != group}
        yield Measure(
            "rule.stays",
            len(self.people) - len(missing),
            len(self.people),
            experts=tuple(e for e, id_ in enumerate(problem.experts) if id_ in missing),
        )

    def check(self, problem: Problem) -> None:
        experts, groups = set(problem.experts), [group.id for group in problem.groups]
        for expert, group in self.people.items():
            if expert not in experts:
                raise Fault("panel.expert_unknown", f"rules.{self.id}.people", expert=expert)
            if group not in groups:
                raise Fault(
                    "panel.group_unknown", f"rules.{self.id}.people", group=group, known=", ".join(groups)
                )
