"""Close peers (小同行) in every group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from solver.blocks import Block, Row
from solver.panel import Measure, Panel
from solver.problem import CLOSE
from solver.rules.base import Rule, Survival, Tightening
from solver.rules.peer_grade import grade_for
from solver.seats import Place, Seats


class GroupPeers(Rule):
    """Each group has at least `least` members who hold one of the sub-specialties it judges."""

    rule: Literal["group_peers"] = "group_peers"
    least: int = Field(ge=1, le=1000)
    survival: ClassVar[Survival] = "rows"
    tightens: ClassVar[Mapping[str, Tightening]] = {"least": "up"}

    @property
    def local(self) -> bool:
        return True

    def blocks(self, seats: Seats) -> Iterator[Block]:
        grades = seats.problem.grades
        yield Block.of(
            self,
            [
                Row(seats.count(Place.MEMBER, g, grades[:, g] == CLOSE), lower=self.least)
                for g in range(len(seats.problem.groups))
            ],
        )

    def measures(self, panel: Panel) -> Iterator[Measure]:
        for g, group in enumerate(panel.problem.groups):
            near = tuple(
                e for e in panel.by_group[g] if grade_for(panel.problem, e, group.specialties) == CLOSE
            )
            yield Measure("rule.group_peers", len(near), self.least, group=g, experts=near)
