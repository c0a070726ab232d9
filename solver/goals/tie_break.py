"""A seeded order among panels that are otherwise equal, so that nobody's position in a list decides."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import numpy as np

from solver.blocks import Linear
from solver.goals.base import MEMBER_WEIGHT, Goal
from solver.panel import Panel
from solver.seats import Place, Seats

SPREAD = 1000
ROLES = (Place.CHAIR, Place.DEPUTY)


def ticket(seed: int, expert: str, group: str, place: int) -> int:
    """0..999 from the seed, the ids in the problem and the number of the place: anyone can recompute it."""
    drawn = sha256(f"{seed}:{expert}:{group}:{place}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") % SPREAD


class TieBreak(Goal):
    """Each place costs the ticket that the problem's seed gives to who takes it, roles too; a member's counts double."""

    goal: Literal["tie_break"] = "tie_break"

    def cost(self, seats: Seats) -> Linear:
        problem = seats.problem
        groups = [group.id for group in problem.groups]
        columns = zip(seats.expert.tolist(), seats.group.tolist(), seats.place.tolist(), strict=True)
        tickets = [
            ticket(problem.seed, problem.experts[e], "" if place in ROLES else groups[g], place)
            for e, g, place in columns
        ]
        weight = np.where(seats.place == Place.MEMBER, MEMBER_WEIGHT, 1)
        return Linear(np.arange(seats.width), np.array(tickets, dtype=np.int64) * weight)

    def value(self, panel: Panel) -> int:
        problem = panel.problem

        def drawn(expert: int, group: int | None, place: Place) -> int:
            name = "" if group is None else problem.groups[group].id
            return ticket(problem.seed, problem.experts[expert], name, place)

        roles = [(panel.chair, Place.CHAIR), *((deputy, Place.DEPUTY) for deputy in panel.deputies)]
        waiting = [
            drawn(expert, g, Place.FIRST if order == 0 else Place.FURTHER)
            for g, called in enumerate(panel.alternates)
            for order, expert in enumerate(called)
        ]
        return (
            MEMBER_WEIGHT * sum(drawn(e, g, Place.MEMBER) for e, g in panel.members.items())
            + sum(waiting)
            + sum(drawn(expert, None, place) for expert, place in roles if expert is not None)
        )
