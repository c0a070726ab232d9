"""Groups keep their own sizes, and nobody sits twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from solver.blocks import Block, Row
from solver.panel import Measure, Panel
from solver.rules.base import Rule
from solver.seats import PRESENT, Place, Seats


class GroupSize(Rule):
    """Each group has its own low..high members; each person holds at most one place."""

    rule: Literal["group_size"] = "group_size"

    def blocks(self, seats: Seats) -> Iterator[Block]:
        groups = [
            Row(seats.count(Place.MEMBER, g), group.low, group.high)
            for g, group in enumerate(seats.problem.groups)
        ]
        yield Block.of(self, groups)
        columns = np.concatenate([seats.columns(place) for place in PRESENT])
        yield Block.grouped(self, seats.expert[columns], columns, upper=1, unit=0)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        for g, group in enumerate(panel.problem.groups):
            yield Measure("rule.group_size", len(panel.by_group[g]), group.low, group.high, group=g)
        everybody = panel.everybody
        twice = tuple(sorted({e for e in everybody if everybody.count(e) > 1}))
        if twice:
            yield Measure("rule.group_size.twice", len(twice), high=0, experts=twice)
