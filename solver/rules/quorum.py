"""Recusal keeps the quorum: enough members remain who may judge each case."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import ClassVar, Literal

import numpy as np

from solver.blocks import Block, Row
from solver.panel import Measure, Panel
from solver.rules.base import Rule, Share, Survival
from solver.rules.share import seats_for
from solver.seats import Place, Seats


class Quorum(Rule):
    """For each case, the members (of the panel, or of its group) who are not recused are at least `least` of them.

    `recused_counts`: whether someone recused still counts as present for that case; no text decides it (N-12).
    If so, recusal never breaks the quorum. No-shows: first alternates count as if they sat.
    """

    rule: Literal["quorum"] = "quorum"
    least: Share
    of: Literal["panel", "group"] = "panel"
    recused_counts: bool = False
    survival: ClassVar[Survival] = "count"

    @property
    def local(self) -> bool:
        return self.of == "group"

    def sees(self, panel: Panel, expert: int) -> Hashable:
        """The cases from which the expert is recused, where recusals could break the quorum at all."""
        people = frozenset(panel.everybody)
        return frozenset(
            c
            for c, recused in enumerate(panel.problem.recused)
            if expert in recused and len(recused & people) > self._spare(panel, c)
        )

    def _spare(self, panel: Panel, case: int) -> int:
        group = None if self.of == "panel" else int(panel.problem.cases.group[case])
        members = len(panel.members if group is None else panel.by_group[group])
        return members - seats_for(self.least, members)

    def blocks(self, seats: Seats) -> Iterator[Block]:
        """members - recused >= least * members, written as an upper bound on those recused."""
        if self.recused_counts:
            return
        problem, p, q = seats.problem, self.least.numerator, self.least.denominator
        rows: dict[tuple[int | None, frozenset[int]], int] = {}
        placed = frozenset(seats.expert.tolist())
        for c, recused in enumerate(problem.recused):
            group = None if self.of == "panel" else int(problem.cases.group[c])
            key = (group, recused & placed)
            rows[key] = rows.get(key, 0) + 1
        found = []
        for (group, recused), times in rows.items():
            low = problem.low if group is None else problem.groups[group].low
            high = problem.high if group is None else problem.groups[group].high
            if len(recused) <= low - seats_for(self.least, low):
                continue
            among = np.zeros(len(problem.experts), dtype=bool)
            among[list(recused)] = True
            away = seats.count(Place.MEMBER, group, among)
            if low == high:
                found.append(Row(away, upper=high - seats_for(self.least, high), weight=times))
            else:
                members = seats.count(Place.MEMBER, group)
                found.append(Row(q * away - (q - p) * members, upper=0, unit=q, weight=times))
        yield Block.of(self, found)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        for c, recused in enumerate(panel.problem.recused):
            group = None if self.of == "panel" else int(panel.problem.cases.group[c])
            members = panel.members.keys() if group is None else panel.by_group[group]
            away = tuple(e for e in members if e in recused)
            present = len(members) if self.recused_counts else len(members) - len(away)
            params = (("case", panel.problem.cases.id[c]), ("of", len(members)), ("recused", len(away)))
            yield Measure(
                "rule.quorum",
                present,
                seats_for(self.least, len(members)),
                group=group,
                experts=away,
                cases=(c,),
                params=params,
            )
