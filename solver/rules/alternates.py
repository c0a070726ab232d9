"""Alternates: enough of them in every group, and a panel that stays lawful when people do not come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from solver.blocks import Block, Row
from solver.panel import Measure, Panel
from solver.rules.base import Rule
from solver.seats import Place, Seats


class Alternates(Rule):
    """Each group has its number of alternates in calling order. With `no_shows`, after any one no-show in every group
    at once, calling each group's first alternate keeps every hard rule (the rows are added by solver.survival)."""

    rule: Literal["alternates"] = "alternates"
    no_shows: bool = True
    sufficient: ClassVar[bool] = True

    def blocks(self, seats: Seats) -> Iterator[Block]:
        rows = []
        for g, group in enumerate(seats.problem.groups):
            if group.alternates:
                rows.append(Row(seats.count(Place.FIRST, g), 1, 1))
            if group.alternates > 1:
                rows.append(Row(seats.count(Place.FURTHER, g), group.alternates - 1, group.alternates - 1))
        yield Block.of(self, rows)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        from solver.survival import broken_after_no_shows

        for g, group in enumerate(panel.problem.groups):
            waiting = panel.alternates[g] if g < len(panel.alternates) else ()
            yield Measure(
                "rule.alternates", len(waiting), group.alternates, group.alternates, group=g, experts=waiting
            )
        if self.no_shows:
            rule, absent, tried = broken_after_no_shows(panel)
            params = (("tried", tried), ("broken_rule", rule))
            yield Measure("rule.alternates.no_shows", len(absent), high=0, experts=absent, params=params)
