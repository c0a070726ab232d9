"""A seeded order among panels that are otherwise equal, so that nobody's position in a list decides."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import numpy as np

from solver.blocks import Linear
from solver.goals.base import MEMBER_WEIGHT, Goal
from solver.no_shows import ordered_places
from solver.panel import Panel
from solver.seats import Place, Seats

SPREAD = 1000
CHAIR, DEPUTY = -1, -2


def ticket(seed: int, expert: str, group: str, turn: int) -> int:
    """0..999 from the seed, the ids in the problem, and what is held in the group: 0 a seat, 1, 2, ... the place of the
    alternate called then (those called in the order of the experts share one), CHAIR or DEPUTY. Anyone can recompute
    it."""
    drawn = sha256(f"{seed}:{expert}:{group}:{turn}".encode()).digest()
    return int.from_bytes(drawn[:8], "big") % SPREAD


class TieBreak(Goal):
    """Each place costs the ticket that the problem's seed gives to who takes it, roles too; a member's counts double."""

    goal: Literal["tie_break"] = "tie_break"

    def cost(self, seats: Seats) -> Linear:
        problem = seats.problem
        groups = [group.id for group in problem.groups]
        turn = np.select(
            [seats.place == Place.CHAIR, seats.place == Place.DEPUTY], [CHAIR, DEPUTY], default=seats.order
        )
        columns = zip(seats.expert.tolist(), seats.group.tolist(), turn.tolist(), strict=True)
        tickets = [ticket(problem.seed, problem.experts[e], groups[g], t) for e, g, t in columns]
        weight = np.where(seats.place == Place.MEMBER, MEMBER_WEIGHT, 1)
        return Linear(np.arange(seats.width), np.array(tickets, dtype=np.int64) * weight)

    def value(self, panel: Panel) -> int:
        problem = panel.problem
        ordered = ordered_places(problem)

        def drawn(expert: int, group: int, turn: int) -> int:
            return ticket(problem.seed, problem.experts[expert], problem.groups[group].id, turn)

        roles = [(panel.chair, CHAIR), *((deputy, DEPUTY) for deputy in panel.deputies)]
        waiting = [
            drawn(expert, g, min(order, ordered + 1))
            for g, called in enumerate(panel.alternates)
            for order, expert in enumerate(called, start=1)
        ]
        return (
            MEMBER_WEIGHT * sum(drawn(e, g, 0) for e, g in panel.members.items())
            + sum(waiting)
            + sum(
                drawn(e, panel.members[e], turn) for e, turn in roles if e is not None and e in panel.members
            )
        )
