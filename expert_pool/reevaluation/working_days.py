"""Deadlines in working days, by the official calendar of holidays and the days worked in their place (`chinesecalendar`).

The State Council publishes each year's holidays late in the year before. A year that is not published, or lies before
the calendar begins, counts Monday to Friday, and whatever deadline crosses it is provisional.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from chinese_calendar import is_workday  # type: ignore[import-untyped]
from chinese_calendar.constants import holidays  # type: ignore[import-untyped]

_YEARS = frozenset(day.year for day in holidays)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day; `provisional` where a year on the way is not published yet, so that the day may still move."""

    day: date
    provisional: bool


def published(year: int) -> bool:
    """Whether the holidays of a year are known."""
    return year in _YEARS


def deadline(start: date, days: int) -> Deadline:
    """The last of so many working days after `start`; the day on which something is told does not count itself
    (民法典 art. 201). `days` is at least 1."""
    if days < 1:
        raise ValueError("a deadline is at least one working day away")
    year, left = start.year, days
    working = _working(year)
    at = bisect_right(working, start)
    while len(working) - at < left:
        left -= len(working) - at
        year, at = year + 1, 0
        working = _working(year)
    last = working[at + left - 1]
    first = start + timedelta(days=1)
    return Deadline(last, any(not published(y) for y in range(first.year, last.year + 1)))


@cache
def _working(year: int) -> tuple[date, ...]:
    """The working days of a year, in order."""
    first = date(year, 1, 1)
    days = [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]
    if published(year):
        return tuple(day for day in days if is_workday(day))
    return tuple(day for day in days if day.weekday() < 5)
