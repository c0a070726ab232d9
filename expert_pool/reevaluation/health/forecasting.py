"""What is coming if nobody is renewed and nobody taken in: terms that end, members who retire, year by year; and the
pyramids of ages and of the time that is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from expert_pool.columns import full_years
from expert_pool.reevaluation.health.document import Band, Year
from expert_pool.reevaluation.health.people import NEVER, People
from expert_pool.registry import Gender
from solver.facts import MISSING, Ints, Mask, day

AGES = (None, 30, 35, 40, 45, 50, 55, 60, 65, 70, None)
"""Bounds of the age pyramid, in full years."""
LEFT = (None, 0, 6, 12, 18, 24, 30, 36, None)
"""Bounds of the pyramid of terms: months left."""


def forecast(people: People, years: int) -> list[Year]:
    """Year after year from the day after that of the facts. Whoever is past the age of retirement already counts as
    retired on the first day: they could be asked to leave now."""
    return forecast_of(people.on, people.term_over[people.member], people.retired[people.member], years)


def forecast_of(on: date, term_over: Ints, retired: Ints, years: int) -> list[Year]:
    """The forecast of members whose term is over, and who retire, on some days (NEVER: not foreseen)."""
    first = on + timedelta(days=1)
    over, away = np.maximum(term_over, day(first)), np.maximum(retired, day(first))
    leaves = np.minimum(over, away)
    found = []
    for number in range(years):
        last = _year_later(on, number + 1)
        a, b = day(first), day(last)
        there = leaves >= a
        going = there & (leaves <= b)
        found.append(
            Year(
                first=first,
                last=last,
                members=int(there.sum()),
                terms_end=int((there & (over >= a) & (over <= b) & (over <= away)).sum()),
                retire=int((there & (away >= a) & (away <= b) & (away <= over)).sum()),
                leave=int(going.sum()),
                left=int((leaves > b).sum()),
            )
        )
        first = last + timedelta(days=1)
    return found


def lasting(people: People, on: date) -> Mask:
    """Of the drawable, those who are still there at the end of a later day if nothing is renewed."""
    stays: Mask = people.drawable & (people.term_over > day(on)) & (people.retired > day(on))
    return stays


def ages(people: People) -> list[Band]:
    """Members by age in full years and gender; unknown ages last."""
    age = full_years(people.born, people.on)
    return _bands(age, people, AGES)


def terms(people: People) -> list[Band]:
    """Members by full months left of their term and gender; terms without an end last."""
    last = np.where(people.term_over == NEVER, 0, people.term_over - 1)
    then = last.astype("datetime64[D]")
    months = then.astype("datetime64[M]").astype(np.int64) - (
        (people.on.year - 1970) * 12 + people.on.month - 1
    )
    in_month = (then - then.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    months = months - (in_month < people.on.day)
    return _bands(np.where(people.term_over == NEVER, MISSING, months), people, LEFT)


def _bands(values: Ints, people: People, bounds: Sequence[int | None]) -> list[Band]:
    found = []
    known = people.member & (values != MISSING)
    for low, high in pairwise(bounds):
        inside = known.copy()
        if low is not None:
            inside &= values >= low
        if high is not None:
            inside &= values < high
        found.append(_band(low, high, inside, people))
    unknown = people.member & (values == MISSING)
    return [*found, _band(None, None, unknown, people)] if unknown.any() else found


def _band(low: int | None, high: int | None, inside: Mask, people: People) -> Band:
    genders = tuple(Gender)
    count = {g: int((inside & (people.gender == n)).sum()) for n, g in enumerate(genders)}
    unknown = int(inside.sum()) - sum(count.values())
    return Band(low=low, high=high, female=count[Gender.FEMALE], male=count[Gender.MALE], unknown=unknown)


def _year_later(on: date, years: int) -> date:
    """The same day so many years later; 29 February becomes 28 February."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return on.replace(year=on.year + years, day=28)
