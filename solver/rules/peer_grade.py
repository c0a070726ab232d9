"""Only peers judge: the gate between an expert and a group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from solver.facts import Mask
from solver.panel import Measure, Panel
from solver.problem import BROAD, CLOSE, Problem
from solver.rules.base import Gate, Tightening


def grade_for(problem: Problem, expert: int, specialties: tuple[int, ...]) -> int:
    """CLOSE (小同行), BROAD or NONE: the best grade of an expert for some sub-specialties, from plain sets."""
    held = problem.held[expert]
    if any(s in held for s in specialties):
        return CLOSE
    fields = {problem.specialties.broad[s] for s in specialties}
    return BROAD if any(problem.specialties.broad[s] in fields for s in held) else 0


class PeerGrade(Gate):
    """Everybody in a group is at least a `grade` peer for it: holds one of its sub-specialties (close), or one of
    the same specialty (broad)."""

    rule: Literal["peer_grade"] = "peer_grade"
    grade: Literal["close", "broad"]
    tightens: ClassVar[Mapping[str, Tightening]] = {"grade": ("broad", "close")}

    @property
    def least(self) -> int:
        return CLOSE if self.grade == "close" else BROAD

    def passes(self, problem: Problem) -> Mask:
        passes: Mask = problem.grades >= self.least
        return passes

    def measures(self, panel: Panel) -> Iterator[Measure]:
        placed = [
            *panel.members.items(),
            *((e, g) for g, called in enumerate(panel.alternates) for e in called),
        ]
        failing = tuple(
            e
            for e, g in placed
            if grade_for(panel.problem, e, panel.problem.groups[g].specialties) < self.least
        )
        yield Measure(
            "rule.peer_grade", len(failing), high=0, experts=failing, params=(("grade", self.grade),)
        )
