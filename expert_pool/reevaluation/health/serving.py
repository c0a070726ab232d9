"""How service is shared among members: load, concentration by employer, and the pool over the last years."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from expert_pool import attributes, sittings
from expert_pool.columns import Arrays, full_years, rows_where
from expert_pool.lifecycle import NUMBER, Event
from expert_pool.reevaluation.health.document import Concentration, Load, Range, Share, Was
from expert_pool.reevaluation.health.figures import concentration, even_chance, gini, lorenz, top_share
from expert_pool.reevaluation.health.people import People
from expert_pool.registry import Sector
from solver.facts import MISSING, Ints, Mask, day

MOST_EMPLOYERS = 20
"""So many employers are named."""


def served(people: People) -> Arrays:
    """All seats that were really taken by people ever in the pool, on any committee."""
    rows = sittings.services(people.session, people.viewer, people.scope, known_at=people.facts.known_at)
    return rows_where(rows, sittings.sat(rows) & (rows["day"] <= day(people.on)))


def seats_between(rows: Arrays, size: int, since: date, until: date) -> Ints:
    """Per expert the seats taken from one day to another, both included."""
    inside = (rows["day"] >= day(since)) & (rows["day"] <= day(until))
    return np.bincount(rows["expert"][inside], minlength=size).astype(np.int64)


def load(people: People, rows: Arrays, since: date, *, replications: int, seed: int) -> Load:
    """The load from a day on, among those who were members then and are now."""
    seats = seats_between(rows, people.size, since, people.on)
    then, _ = people.situation(since)
    steady = people.member & then
    mine = seats[steady]
    chance = even_chance(len(mine), int(mine.sum()), replications=replications, seed=seed)
    return Load(
        since=since,
        members=int(people.member.sum()),
        seats=int(seats[people.member].sum()),
        steady=len(mine),
        steady_seats=int(mine.sum()),
        never=_never(mine),
        gini=gini(mine),
        gini_by_chance=Range(low=chance.low, high=chance.high, replications=chance.replications)
        if chance
        else None,
        top_tenth=top_share(mine),
        lorenz=lorenz(mine),
    )


def employers(people: People, rows: Arrays, since: date) -> Concentration:
    """How far service from a day on comes from few employers (legal persons, as they are now)."""
    values, names = people.category("employer")
    seats = seats_between(rows, people.size, since, people.on)
    known = people.member & (values != MISSING)
    by_seats = np.bincount(values[known], weights=seats[known], minlength=len(names)).astype(np.int64)
    by_members = np.bincount(values[known], minlength=len(names)).astype(np.int64)
    found, own = concentration(by_seats), concentration(by_members)
    order = sorted(np.flatnonzero(by_seats).tolist(), key=lambda i: (-int(by_seats[i]), names[i]))
    return Concentration(
        employers=int((by_members > 0).sum()),
        hhi=found[0] if found else None,
        as_many_as=found[1] if found else None,
        hhi_of_members=own[0] if own else None,
        most=[
            Share(
                employer=names[i],
                seats=int(by_seats[i]),
                of_seats=int(by_seats[i]) / int(by_seats.sum()),
                of_members=int(by_members[i]) / int(by_members.sum()),
            )
            for i in order[:MOST_EMPLOYERS]
        ],
    )


def trend(people: People, rows: Arrays, years: int) -> list[Was]:
    """The pool on the same day of each of the last years and today, as it is known now."""
    days = [years_back(people.on, number) for number in range(years, -1, -1)]
    return [_was(people, rows, years_back(on, 1) + timedelta(days=1), on) for on in days]


def _was(people: People, rows: Arrays, since: date, on: date) -> Was:
    member, drawable = people.situation(on)
    events = people.facts.events
    inside = (events.day >= day(since)) & (events.day <= day(on))
    before, _ = people.situation(since - timedelta(days=1))
    admitted = np.zeros(people.size, dtype=bool)
    admitted[events.expert[inside & (events.event == NUMBER[Event.ADMITTED])]] = True
    age = full_years(people.born, on)[member]
    age = age[age != MISSING]
    seats = seats_between(rows, people.size, since, on)
    steady = member & before
    return Was(
        on=on,
        members=int(member.sum()),
        drawable=int((member & drawable).sum()),
        admitted=int((admitted & member & ~before).sum()),
        left=int((before & ~member).sum()),
        median_age=float(np.median(age)) if len(age) else None,
        private=_private(people, on, member),
        seats=int(seats[member].sum()),
        never=_never(seats[steady]),
        gini=gini(seats[steady]),
    )


def _private(people: People, on: date, member: Mask) -> float | None:
    """The share of members whose employer is private, of those whose employer's sector is known."""
    if not member.any():
        return None
    column = (
        people.facts.facts["sector"]
        if on == people.on
        else attributes.employment(people.at(on)).facts["sector"]
    )
    known = column.values[member]
    known = known[known != MISSING]
    return float((known == column.names.index(Sector.PRIVATE)).mean()) if len(known) else None


def _never(seats: Ints) -> float | None:
    return float((seats == 0).mean()) if len(seats) else None


def years_back(on: date, years: int) -> date:
    """The same day so many years before; 29 February becomes 28 February."""
    try:
        return on.replace(year=on.year - years)
    except ValueError:
        return on.replace(year=on.year - years, day=28)
