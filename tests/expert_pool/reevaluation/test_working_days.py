"""Deadlines in working days against a calendar counted day by day, and the days everybody knows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from chinese_calendar import is_workday
from hypothesis import given
from hypothesis import strategies as st

from expert_pool.reevaluation.working_days import Deadline, deadline, published


@given(st.dates(date(2002, 1, 1), date(2029, 12, 31)), st.integers(1, 120))
def test_a_deadline_is_the_last_of_so_many_working_days(start: date, days: int) -> None:
    """Counted one by one, and provisional where any day on the way lies in a year without published holidays."""
    day, left, provisional = start, days, False
    while left:
        day += timedelta(days=1)
        known = 2004 <= day.year <= 2026
        provisional |= not known
        left -= is_workday(day) if known else day.weekday() < 5
    assert deadline(start, days) == Deadline(day, provisional)


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # a Saturday worked in place of the Spring Festival
        (date(2026, 2, 14), 1, date(2026, 2, 24)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 10, 9), 1, date(2026, 10, 10)),  # a Saturday worked in place of National Day
        (date(2026, 9, 1), 10, date(2026, 9, 15)),
    ],
)
def test_holidays_and_the_days_worked_in_their_place_count(start: date, days: int, last: date) -> None:
    assert deadline(start, days) == Deadline(last, provisional=False)


def test_a_year_not_published_is_provisional() -> None:
    """Also where only the last day lies in it; a deadline that stays before it is not."""
    assert published(2026)
    assert not published(2027)
    assert deadline(date(2026, 12, 30), 1) == Deadline(date(2026, 12, 31), provisional=False)
    assert deadline(date(2026, 12, 31), 1) == Deadline(date(2027, 1, 1), provisional=True)


def test_a_deadline_of_no_days_is_no_deadline() -> None:
    with pytest.raises(ValueError, match="at least one"):
        deadline(date(2026, 9, 1), 0)
