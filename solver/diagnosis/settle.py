"""A search for one thing only: how small the first goal can be."""

from __future__ import annotations

from dataclasses import replace

from solver.diagnosis.elements import same_people
from solver.diagnosis.possible import WORKERS
from solver.engines.race import Cancelled
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter
from solver.search import Outcome, search


def limited(problem: Problem, seconds: float) -> Problem:
    """The problem with so many seconds left, to be settled without a gap."""
    limits = replace(problem.limits, seconds=max(0.0, seconds), gap=0.0, workers=WORKERS)
    return same_people(problem, limits=limits)


def settle(problem: Problem, start: Panel | None, report: Reporter, cancelled: Cancelled) -> Outcome:
    """The search's outcome, without its last question, whether another panel is as good: nobody asks that here."""
    asked: list[bool] = []

    def told(event: Progress) -> None:
        if event.phase == "unique":
            asked.append(True)
        else:
            report(event)

    return search(problem, start=start, report=told, cancelled=lambda: bool(asked) or cancelled())
