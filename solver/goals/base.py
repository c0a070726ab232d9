"""What every goal is: an integer cost to be made small, at a level of the order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from solver.blocks import Linear
from solver.facts import Ints
from solver.panel import Panel
from solver.seats import PRESENT, Place, Seats

if TYPE_CHECKING:
    from solver.problem import Problem

MEMBER_WEIGHT = 2
"""What a member counts against an alternate, in every goal."""


class Goal(BaseModel):
    """Something to be made small. Levels are settled in rising order, each within `tolerance` units of its
    optimum before the next is looked at; in a weighted problem the costs are added with their `weight`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    goal: str
    id: str = Field(min_length=1, pattern=r"^[a-z][a-z0-9_]*$")
    level: int = Field(ge=1, le=99)
    weight: int = Field(default=1, ge=1, le=1_000_000)
    tolerance: int = Field(default=0, ge=0)

    @abstractmethod
    def cost(self, seats: Seats) -> Linear:
        """The cost as a linear expression over the columns of `seats`."""

    @abstractmethod
    def value(self, panel: Panel) -> int:
        """The same cost of a finished panel, from plain sets."""

    def check(self, problem: Problem) -> None:
        """Raises Fault when the goal makes no sense for this problem."""


def over_places(seats: Seats, price: Ints) -> Linear:
    """The price of everybody present: members count double, alternates once.

    `price` has shape (experts, groups), or (experts, 1) where the group does not matter.
    """
    columns = np.concatenate([seats.columns(place) for place in PRESENT])
    group = seats.group[columns] if price.shape[1] > 1 else 0
    weight = np.where(seats.place[columns] == Place.MEMBER, MEMBER_WEIGHT, 1)
    return Linear(columns, price[seats.expert[columns], group] * weight)


def over_seated(panel: Panel, price: Callable[[int, int], int]) -> int:
    """The same of a finished panel: `price(expert, group)` of each person."""
    members = sum(price(e, g) for e, g in panel.members.items())
    return MEMBER_WEIGHT * members + sum(
        price(e, g) for g, called in enumerate(panel.alternates) for e in called
    )
