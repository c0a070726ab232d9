"""How far back a window reaches from a day."""

from __future__ import annotations

from datetime import date

from expert_pool.policies.document import Window
from solver.facts import day

EVER = -(2**40)
"""A day before all days."""

CYCLE_YEARS = 1


def reach(window: Window, on: date) -> int:
    """The first day, counted from 1970-01-01, on which something must still have lasted in order to count on `on`.

    `always`: any day. `current`: the day itself. N years: the day after the one N years before, so that what ended
    exactly N years ago is over. `cycle`: the same with one year, as title review goes by yearly seasons.
    """
    if window == "always":
        return EVER
    if window == "current":
        return day(on)
    return day(years_before(on, CYCLE_YEARS if window == "cycle" else int(window))) + 1


def years_before(on: date, years: int) -> date:
    """The same day `years` earlier; 28 February for a 29 February that the year does not have."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28)
