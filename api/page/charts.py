"""Small charts drawn on the server, as plain points for a template to lay out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDE, HIGH = 640.0, 150.0
"""The room for the lines, in the units of the drawing."""


@dataclass(frozen=True, slots=True)
class Convergence:
    """How incumbent and bound of one goal came together: the lines as points of an SVG polyline, and their ends."""

    goal: str
    incumbents: str
    bounds: str
    last: int
    bound: int | None
    seconds: float

    @property
    def gap(self) -> float | None:
        """(incumbent - bound) / incumbent at the end; None while there is no bound. 0 is a proof."""
        if self.bound is None:
            return None
        return (self.last - self.bound) / abs(self.last) if self.last else float(self.last != self.bound)


def convergence(solved: Sequence[tuple[str, float, int, int | None]]) -> list[Convergence]:
    """A chart for each goal that was solved: `solved` is (goal, seconds, incumbent, bound), in order of time."""
    charts = []
    for goal in dict.fromkeys(one[0] for one in solved):
        own = [one[1:] for one in solved if one[0] == goal]
        if own[-1][2] is None and len(own) == 1:  # a first panel, before its levels are settled one by one
            continue
        values = [value for _, incumbent, bound in own for value in (incumbent, bound) if value is not None]
        low, high, first, last = min(values), max(values), own[0][0], own[-1][0]

        def at(
            seconds: float,
            value: int,
            low: int = low,
            high: int = high,
            first: float = first,
            last: float = last,
        ) -> tuple[float, float]:
            across = WIDE * (seconds - first) / (last - first) if last > first else WIDE / 2
            return across, HIGH * (high - value) / (high - low) if high > low else HIGH / 2

        incumbents = [at(seconds, incumbent) for seconds, incumbent, _ in own]
        bounds = [at(seconds, bound) for seconds, _, bound in own if bound is not None]
        charts.append(
            Convergence(goal, _stairs(incumbents), _stairs(bounds), own[-1][1], own[-1][2], last - first)
        )
    return charts


def _stairs(points: Sequence[tuple[float, float]]) -> str:
    """The points of a line that keeps its height until the next value is known, to the right edge."""
    made: list[tuple[float, float]] = []
    for across, down in points:
        if made:
            made.append((across, made[-1][1]))
        made.append((across, down))
    if made:
        made.append((WIDE, made[-1][1]))
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in made)
