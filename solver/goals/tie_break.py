"""A seeded order among panels that are otherwise equal, so that nobody's position in a list decides."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import numpy as np

from solver.blocks import Linear
from solver.goals.base import Goal, over_places, over_seated
from solver.panel import Panel
from solver.seats import Seats

SPREAD = 1000


def ticket(seed: int, expert: str) -> int:
    """0..999 from the seed and the expert's id in the problem: anyone can recompute it."""
    return int.from_bytes(sha256(f"{seed}:{expert}".encode()).digest()[:8], "big") % SPREAD


class TieBreak(Goal):
    """Each person costs the ticket that the problem's seed gives."""

    goal: Literal["tie_break"] = "tie_break"

    def cost(self, seats: Seats) -> Linear:
        problem = seats.problem
        tickets = np.zeros((len(problem.experts), 1), dtype=np.int64)
        for expert in np.unique(seats.expert).tolist():
            tickets[expert] = ticket(problem.seed, problem.experts[expert])
        return over_places(seats, tickets)

    def value(self, panel: Panel) -> int:
        problem = panel.problem
        return over_seated(panel, lambda expert, group: ticket(problem.seed, problem.experts[expert]))
