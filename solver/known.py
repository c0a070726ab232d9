"""What a search may know from problems much like its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from solver.cover import Branch
from solver.model import Funnel, Level, Model
from solver.problem import Problem


class Known(Protocol):
    """What is known from problems much like the one that is searched."""

    def funnel(self, problem: Problem) -> Funnel:
        """How the gates narrow the pool."""

    def model(self, problem: Problem, passed: Funnel) -> Model:
        """The model over those who pass, exactly as `build` makes it."""

    def suggested(self, model: Model, level: Level) -> Sequence[Branch]:
        """Branches that held every solution of another problem at that level, with prices for the rows of this model:
        they hold every solution of this one too, and any prices prove something. Empty where nothing fits."""
