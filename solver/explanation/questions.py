"""Questions to a problem, each as a problem of its own: somebody must sit or may not, a rule is gone or gives way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import create_model

from solver.blocks import FREE, Block, Linear, Row
from solver.diagnosis.elements import same_people
from solver.panel import Measure, Panel
from solver.problem import Problem
from solver.rules.alternates import Alternates
from solver.rules.base import Gate, Rule
from solver.rules.group_size import GroupSize
from solver.seats import PRESENT, Place, Seats

ASKED = "?"
"""The id of the one rule that a question about a person adds: none that a problem file may use."""

COUNTED = frozenset({"share", "ratio", "newcomers", "cap", "quorum", "group_peers", "case_peers"})
"""Rules that count seats, so that one seat softer means something: their rows bend by one unit as their measures do."""


class Asked(Rule):
    """The expert sits as a member, or neither sits nor waits. Apart from `locks`, which a policy may have soft."""

    rule: Literal["asked"] = "asked"
    expert: int
    sits: bool

    def blocks(self, seats: Seats) -> Iterator[Block]:
        wanted = [int(Place.MEMBER)] if self.sits else [int(place) for place in PRESENT]
        own = ((seats.expert == self.expert) & np.isin(seats.place, wanted)).nonzero()[0]
        row = Row(Linear.total(own), lower=1) if self.sits else Row(Linear.total(own), upper=0)
        yield Block.of(self, [row])

    def measures(self, panel: Panel) -> Iterator[Measure]:
        there = self.expert in (panel.members if self.sits else panel.everybody)
        yield Measure(
            "rule.asked",
            int(there),
            low=1 if self.sits else None,
            high=None if self.sits else 0,
            experts=(self.expert,),
        )


def asking(problem: Problem, expert: int, *, sits: bool) -> Problem:
    """The problem with one expert forced in as a member, or kept out altogether."""
    asked = Asked.model_construct(id=ASKED, expert=expert, sits=sits)
    return same_people(problem, rules=(*problem.rules, asked))


def dropping(problem: Problem, rule: Rule) -> Problem | None:
    """The problem without a rule; None for those that the problem means nothing without."""
    if isinstance(rule, (GroupSize, Alternates)):
        return None
    return same_people(problem, rules=tuple(other for other in problem.rules if other.id != rule.id))


def easing(problem: Problem, rule: Rule) -> Problem | None:
    """The problem with a rule that gives way by one step: each of its counts may be missed by one seat, groups are one
    seat wider either way, alternates need not survive no-shows. None where there is no such step."""
    if isinstance(rule, GroupSize):
        wider = (replace(group, low=max(1, group.low - 1), high=group.high + 1) for group in problem.groups)
        return same_people(problem, groups=tuple(wider))
    if isinstance(rule, Alternates):
        if not rule.no_shows or rule.soft is not None:
            return None
        eased: Rule = rule.model_copy(update={"no_shows": False})
    elif isinstance(rule, Gate) or rule.rule not in COUNTED:
        return None
    else:
        eased = softer(rule)
    return same_people(
        problem, rules=tuple(eased if other.id == rule.id else other for other in problem.rules)
    )


class _Softer(Rule):
    """Put before a rule's own class: its rows and measures bend by one unit."""

    def blocks(self, seats: Seats) -> Iterator[Block]:
        for block in super().blocks(seats):  # type: ignore[safe-super]
            lower = np.where(block.lower == -FREE, -FREE, block.lower - block.unit)
            upper = np.where(block.upper == FREE, FREE, block.upper + block.unit)
            yield replace(block, lower=lower, upper=upper)

    def measures(self, panel: Panel) -> Iterator[Measure]:
        for measure in super().measures(panel):  # type: ignore[safe-super]
            yield replace(
                measure,
                low=None if measure.low is None else measure.low - 1,
                high=None if measure.high is None else measure.high + 1,
            )


def softer(rule: Rule) -> Rule:
    """The same rule, each of its counts one seat softer."""
    kind = create_model(f"Softer{type(rule).__name__}", __base__=(_Softer, type(rule)))
    return kind.model_construct(**dict(rule))
