"""How much of an optimiser's progress is worth an event."""

from __future__ import annotations

import time
from collections.abc import Callable

from solver.progress import Progress, Reporter

PAUSE = 0.5
"""Seconds between two events of one incumbent whose bound alone moved."""


def steady(report: Reporter, now: Callable[[], float] = time.monotonic) -> Reporter:
    """Lets every new incumbent through at once, and of the bounds of one incumbent one in a while.

    A bound that meets its incumbent passes too. Other progress passes as it is: whoever writes it down keeps the latest.
    """
    last: tuple[str | None, int | None] | None = None
    told = 0.0

    def reporting(event: Progress) -> None:
        nonlocal last, told
        if event.incumbent is not None:
            this = (event.goal, event.incumbent)
            settled = event.bound == event.incumbent
            if this == last and not settled and now() - told < PAUSE:
                return
            last, told = this, now()
        report(event)

    return reporting
