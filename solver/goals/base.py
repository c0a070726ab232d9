"""What every goal is: an integer cost to be made small, at a level of the order."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from solver.blocks import Linear
    from solver.seats import Seats

    from solver.panel import Panel
    from solver.problem import Problem


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
