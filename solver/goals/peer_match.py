"""Peers as close as possible to the cases of their group."""

from __future__ import annotations

from typing import Literal

import numpy as np

from solver.blocks import Linear
from solver.facts import Ints
from solver.goals.base import Goal, over_places, over_seated
from solver.panel import Panel
from solver.problem import Problem
from solver.seats import Seats

WORST = 100


class PeerMatch(Goal):
    """Each person costs 0..100: 100 minus the share (in %) of the group's cases that lie in a sub-specialty the person
    holds, taken in thirds by proficiency, plus a tenth of the share that lies in the same specialty only."""

    goal: Literal["peer_match"] = "peer_match"

    def cost(self, seats: Seats) -> Linear:
        return over_places(seats, _distances(seats.problem))

    def value(self, panel: Panel) -> int:
        return over_seated(panel, lambda expert, group: distance(panel.problem, expert, group))


def distance(problem: Problem, expert: int, group: int) -> int:
    """The cost of one expert in one group, written out plainly."""
    demand = _demand(problem, group)
    total = sum(demand.values())
    if not total:
        return 0
    held = problem.held[expert]
    fields = {problem.specialties.broad[s] for s in held}
    close = sum(n * held[s] for s, n in demand.items() if s in held)
    broad = sum(n for s, n in demand.items() if s not in held and problem.specialties.broad[s] in fields)
    return WORST - (1000 * close + 300 * broad) // (30 * total)


def _demand(problem: Problem, group: int) -> dict[int, int]:
    own = problem.cases.specialty[problem.cases.group == group]
    specialties, counts = np.unique(own, return_counts=True)
    return dict(zip(specialties.tolist(), counts.tolist(), strict=True))


def _distances(problem: Problem) -> Ints:
    """`distance` of everybody for every group, shape (experts, groups)."""
    count, skills = len(problem.experts), problem.skills
    fields = {name: i for i, name in enumerate(sorted(set(problem.specialties.broad)))}
    field_of = np.array([fields[b] for b in problem.specialties.broad], dtype=np.int64)
    known = np.zeros(count * len(fields), dtype=bool)
    known[skills.expert * len(fields) + field_of[skills.specialty]] = True
    knower, known_field = np.divmod(known.nonzero()[0], max(1, len(fields)))
    result = np.zeros((count, len(problem.groups)), dtype=np.int64)
    for g in range(len(problem.groups)):
        demand = np.zeros(len(field_of), dtype=np.int64)
        for s, n in _demand(problem, g).items():
            demand[s] = n
        total = int(demand.sum())
        if not total:
            continue
        close = np.zeros(count, dtype=np.int64)
        np.add.at(close, skills.expert, demand[skills.specialty] * skills.proficiency)
        own = np.zeros(count, dtype=np.int64)
        np.add.at(own, skills.expert, demand[skills.specialty])
        by_field = np.zeros(len(fields), dtype=np.int64)
        np.add.at(by_field, field_of, demand)
        wide = np.zeros(count, dtype=np.int64)
        np.add.at(wide, knower, by_field[known_field])
        result[:, g] = WORST - (1000 * close + 300 * (wide - own)) // (30 * total)
    return result
