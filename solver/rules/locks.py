"""Decisions about persons: who must sit, who may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from solver.blocks import Block, Linear, Row
from solver.panel import Measure, Panel
from solver.rules.base import Rule
from solver.seats import PRESENT, Place, Seats


class Locks(Rule):
    """Locked experts sit (in their group where one is named); excluded ones neither sit nor wait."""

    rule: Literal["locks"] = "locks"

    def blocks(self, seats: Seats) -> Iterator[Block]:
        problem, members = seats.problem, seats.by_expert(Place.MEMBER)
        rows = []
        for lock in problem.locks:
            own = members.get(lock.expert, np.empty(0, dtype=np.int64))
            rows.append(
                Row(Linear.total(own[(seats.group[own] == lock.group) | (lock.group is None)]), lower=1)
            )
        present = seats.by_expert(*PRESENT)
        out = [Linear.total(present[x.expert]) for x in problem.exclusions if x.expert in present]
        rows += [Row(columns, upper=0) for columns in out]
        yield Block.of(self, rows)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        problem = panel.problem
        missing = tuple(
            lock.expert
            for lock in problem.locks
            if lock.expert not in panel.members or lock.group not in (None, panel.members[lock.expert])
        )
        yield Measure(
            "rule.locks.locked", len(problem.locks) - len(missing), len(problem.locks), experts=missing
        )
        out = {x.expert for x in problem.exclusions}
        seated = tuple(e for e in panel.everybody if e in out)
        yield Measure("rule.locks.excluded", len(seated), high=0, experts=seated)
