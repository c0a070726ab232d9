"""Recusal keeps the quorum: enough members remain who may judge each case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np

from solver.blocks import Block, Linear, Row
from solver.panel import Measure, Panel
from solver.rules.base import Rule, Share, Survival, Tightening
from solver.rules.panel_size import sizes_in
from solver.rules.share import seats_for
from solver.seats import Place, Seats


class Quorum(Rule):
    """For each case, the members (of the panel, or of its group) who are not recused are at least `least` of them.

    `recused_counts`: whether someone recused still counts as present for that case; no text decides it (N-12).
    If so, recusal never breaks the quorum.
    """

    rule: Literal["quorum"] = "quorum"
    least: Share
    of: Literal["panel", "group"] = "panel"
    recused_counts: bool = False
    survival: ClassVar[Survival] = "rows"
    tightens: ClassVar[Mapping[str, Tightening]] = {"least": "up", "recused_counts": (True, False)}

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
        """members - recused >= least * members, written as an upper bound on those recused; where that bound depends on
        the size of the panel or group, the size is an auxiliary."""
        if self.recused_counts:
            return
        problem, p, q = seats.problem, self.least.numerator, self.least.denominator
        scopes = {None if self.of == "panel" else int(g) for g in problem.cases.group}
        people = {g: frozenset(seats.expert[seats.columns(Place.MEMBER, g)].tolist()) for g in scopes}
        spare = {g: [n - seats_for(self.least, n) for n in sizes_in(problem, g)] for g in scopes}
        alike: Counter[tuple[int | None, frozenset[int]]] = Counter()
        for c, recused in enumerate(problem.recused):
            group = None if self.of == "panel" else int(problem.cases.group[c])
            alike[group, recused & people[group]] += 1
        rows: list[Row] = []
        size: dict[int | None, int] = {}
        for (group, recused), times in alike.items():
            if len(recused) <= min(spare[group]):
                continue
            among = np.zeros(len(problem.experts), dtype=bool)
            among[list(recused)] = True
            away = seats.count(Place.MEMBER, group, among)
            if min(spare[group]) == max(spare[group]):
                rows.append(Row(away, upper=spare[group][0], weight=times))
            else:
                size.setdefault(group, seats.width + len(size))
                rows.append(Row(q * away - Linear.of([(size[group], q - p)]), upper=0, unit=q, weight=times))
        rows += [
            Row(seats.count(Place.MEMBER, g) - Linear.of([(column, 1)]), 0, 0, unit=0)
            for g, column in size.items()
        ]
        yield Block.of(self, rows, [(sizes_in(problem, g)[0], sizes_in(problem, g)[-1]) for g in size])

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
