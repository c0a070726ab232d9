"""Conflicts that keep an expert out of a group or of the whole panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from solver.facts import Mask
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.base import Gate


class Barred(Gate):
    """Nobody sits whose conflict with a case has effect `panel`, nor in the group of a case where it is `group`.

    The applicant of this season is the plain example (L-NSFC art. 20). Effect `pair` is recusal: see `quorum`.
    """

    rule: Literal["barred"] = "barred"

    def passes(self, problem: Problem) -> Mask:
        passes = np.ones((len(problem.experts), len(problem.groups)), dtype=bool)
        pairs = problem.with_cases
        effect = np.array([k.effect for k in problem.conflict_kinds], dtype=object)[pairs.kind]
        passes[pairs.left[effect == "panel"]] = False
        near = effect == "group"
        passes[pairs.left[near], problem.cases.group[pairs.right[near]]] = False
        return passes

    def measures(self, panel: Panel) -> Iterator[Measure]:
        problem = panel.problem
        placed = dict(panel.members)
        placed.update((e, g) for g, called in enumerate(panel.alternates) for e in called)
        experts, cases = set(), set()
        there = np.zeros(len(problem.experts), dtype=bool)
        there[list(placed)] = True
        own = there[problem.with_cases.left]
        pairs = (problem.with_cases.left, problem.with_cases.right, problem.with_cases.kind)
        for e, c, k in zip(*(part[own].tolist() for part in pairs), strict=True):
            effect = problem.conflict_kinds[k].effect
            if effect == "panel" or (effect == "group" and problem.cases.group[c] == placed[e]):
                experts.add(e)
                cases.add(c)
        yield Measure(
            "rule.barred", len(experts), high=0, experts=tuple(sorted(experts)), cases=tuple(sorted(cases))
        )
