"""Days as numbers, counted in years as people count them: birthdays, terms, validity."""

from __future__ import annotations

from datetime import MAXYEAR, date

import numpy as np

from solver.facts import EPOCH, MISSING, Ints, day


def full_years(since: Ints, on: date) -> Ints:
    """Whole years from each day until `on`, as birthdays count them; MISSING stays."""
    then = np.where(since == MISSING, 0, since)
    year, month, in_month = _calendar(then)
    before = (month > on.month) | ((month == on.month) & (in_month > on.day))
    return np.where(since == MISSING, MISSING, on.year - year - before)


def add_years(since: Ints, years: int) -> Ints:
    """The same day `years` later (29 February becomes 1 March); MISSING stays."""
    then = np.where(since == MISSING, 0, since)
    _, _, in_month = _calendar(then)
    months = then.astype("datetime64[D]").astype("datetime64[M]") + np.timedelta64(12 * years, "M")
    later = months.astype("datetime64[D]").astype(np.int64) + in_month - 1
    return np.where(since == MISSING, MISSING, later)


def whole_years(since: date, on: date) -> int:
    """As `full_years`, of one day."""
    return on.year - since.year - ((since.month, since.day) > (on.month, on.day))


def day_after_years(since: date, years: int) -> int:
    """As `add_years`, of one day."""
    cycles = max(0, -(-(since.year + years - MAXYEAR) // 400))
    month = date(since.year + years - 400 * cycles, since.month, 1)
    return day(month) + _CYCLE * cycles + since.day - 1


_CYCLE = 146_097
"""The days of 400 years, after which the calendar repeats."""


def years_after(since: date, years: int) -> date:
    """The last day of so many whole years that begin on a day."""
    return as_date(int(add_years(np.array([day(since)]), years)[0]) - 1)


def as_date(number: int) -> date:
    """The date of a day number."""
    return date.fromordinal(EPOCH.toordinal() + number)


def _calendar(since: Ints) -> tuple[Ints, Ints, Ints]:
    on = since.astype("datetime64[D]")
    months = on.astype("datetime64[M]")
    number = months.astype(np.int64)
    in_month = (on - months.astype("datetime64[D]")).astype(np.int64) + 1
    return number // 12 + 1970, number % 12 + 1, in_month
