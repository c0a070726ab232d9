"""One progress event for every face: command line, jobs and page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """What is happening now.

    `phase` is a message id (`progress.<phase>`); `done` of `total` when the work is counted;
    `incumbent` and `bound` (both in the units of goal `goal`) while an optimiser runs.
    """

    phase: str
    done: int | None = None
    total: int | None = None
    goal: str | None = None
    incumbent: int | None = None
    bound: int | None = None


Reporter = Callable[[Progress], None]


def silent(event: Progress) -> None:
    """Report to nobody."""
