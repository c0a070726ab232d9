"""Every case has peers in its group who may judge it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from solver.blocks import Block, Row
from solver.panel import Measure, Panel
from solver.problem import BROAD, CLOSE, Problem
from solver.rules.base import Rule, Survival, Tightening
from solver.rules.peer_grade import grade_for
from solver.seats import Place, Seats


class CasePeers(Rule):
    """Each case has at least `least` members in its group who are `grade` peers of it and not recused.

    Soft, it is graded: each peer short of `least` counts one, for each case.
    """

    rule: Literal["case_peers"] = "case_peers"
    least: int = Field(ge=1, le=1000)
    grade: Literal["close", "broad"] = "close"
    survival: ClassVar[Survival] = "rows"
    tightens: ClassVar[Mapping[str, Tightening]] = {"least": "up", "grade": ("broad", "close")}

    @property
    def local(self) -> bool:
        return True

    def blocks(self, seats: Seats) -> Iterator[Block]:
        problem = seats.problem
        cases = zip(
            problem.cases.group.tolist(), problem.cases.specialty.tolist(), problem.recused, strict=True
        )
        alike: Counter[tuple[int, int, frozenset[int]]] = Counter()
        peers: dict[int, frozenset[int]] = {}
        for group, specialty, recused in cases:
            near = peers.setdefault(specialty, _peers(problem, specialty, self.grade))
            alike[group, specialty, recused & near] += 1
        rows = []
        for (group, specialty, recused), times in alike.items():
            among = np.zeros(len(problem.experts), dtype=bool)
            among[list(peers[specialty] - recused)] = True
            rows.append(Row(seats.count(Place.MEMBER, group, among), lower=self.least, weight=times))
        yield Block.of(self, rows)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        problem = panel.problem
        wanted = CLOSE if self.grade == "close" else BROAD
        near: dict[tuple[int, int], tuple[int, ...]] = {}
        for c, (group, specialty) in enumerate(
            zip(problem.cases.group.tolist(), problem.cases.specialty.tolist(), strict=True)
        ):
            if (group, specialty) not in near:
                near[group, specialty] = tuple(
                    e for e in panel.by_group[group] if grade_for(problem, e, (specialty,)) >= wanted
                )
            may = tuple(e for e in near[group, specialty] if e not in problem.recused[c])
            params = (("case", problem.cases.id[c]), ("grade", self.grade))
            yield Measure(
                "rule.case_peers", len(may), self.least, group=group, experts=may, cases=(c,), params=params
            )


def _peers(problem: Problem, specialty: int, grade: str) -> frozenset[int]:
    if grade == "close":
        wanted = problem.skills.specialty == specialty
    else:
        fields = np.array(problem.specialties.broad, dtype=object)
        wanted = (fields == fields[specialty])[problem.skills.specialty]
    return frozenset(problem.skills.expert[wanted].tolist())
