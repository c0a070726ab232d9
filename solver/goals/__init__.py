"""The family of goals: every module in this folder that defines a `Goal` joins it; nothing else need be edited."""

from __future__ import annotations

from typing import Any

from solver.family import gather, reader
from solver.goals.base import Goal

GOALS: dict[str, type[Goal]] = gather(__name__, __path__, Goal, "goal")  # type: ignore[type-abstract]
"""Every goal by its name, e.g. `peer_match`."""

AnyGoal: Any = reader(GOALS.values(), "goal")

__all__ = ["GOALS", "AnyGoal", "Goal"]
