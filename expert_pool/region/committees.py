"""Committees of the made region: their form and level, their agenda, and who sat before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from expert_pool.region.applications import Applications, Fields, Ground, make_applications, pick_fields
from expert_pool.region.catalogue import ENGINEERING
from expert_pool.region.employers import series_share
from expert_pool.region.histories import Memberships, make_memberships
from expert_pool.region.streams import Streams, choose
from expert_pool.registry import Form, Level, Outcome, Role
from solver.facts import Ints, Mask

MEETS_AFTER = 48
"""Days from the day the records end to the meeting of the first committee; others follow weekly, twelve weeks long."""

SEASONS_BACK = 3
PANEL = 25
ROLES: tuple[Role, ...] = tuple(Role)
OUTCOMES: tuple[Outcome, ...] = tuple(Outcome)
_OUTCOME_SHARE = np.array([0.935, 0.03, 0.015, 0.01, 0.01])
_RETURNING = 0.4
_OWN_POOL = 500
"""The most experts a committee takes into a pool of its own."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A panel that sat: aligned arrays of its people, `role` and `outcome` indices into ROLES and OUTCOMES."""

    season: int
    on: int
    expert: Ints
    role: Ints
    outcome: Ints


@dataclass(frozen=True, slots=True)
class Committee:
    """A committee with its agenda and the panels that sat, newest first."""

    meeting: int
    series: int
    level: Level
    form: Form
    own_pool: Memberships | None
    """Its own pool; None where it draws on the provincial one."""
    fields: Fields
    applications: Applications
    sittings: tuple[Sitting, ...]


FieldChooser = Callable[[Generator, Ground, int], Fields]
"""From a generator, the ground and a series: the fields a committee reviews."""


def make_committee(
    streams: Streams,
    ground: Ground,
    pool: Memberships,
    number: int,
    cases: int,
    season: int,
    today: int,
    fields_for: FieldChooser | None = None,
) -> Committee:
    """The committee of that number (from 0), which meets this season, some weeks after `today`.

    The first is the senior committee for engineering of the provincial organiser; others vary. `fields_for` chooses
    what it reviews instead of the popular fields.
    """
    rng = streams("committee", number)
    meeting = today + MEETS_AFTER + 7 * (number % 12)
    catalogue = ground.catalogue
    if number == 0:
        series, level, form = catalogue.series_code.index(ENGINEERING), Level.SENIOR, Form.SOCIAL
    else:
        series = int(choose(rng, series_share(catalogue), 1)[0])
        level = Level.SENIOR if rng.random() < 0.7 else Level.MID
        form = tuple(Form)[int(choose(rng, np.array([0.3, 0.3, 0.15, 0.1, 0.1, 0.05]), 1)[0])]
    if fields_for is not None:
        fields = fields_for(rng, ground, series)
    else:
        fields = pick_fields(rng, ground, series, (3, 3) if number == 0 else (3, 4))
    own = None
    if number % 3 == 2:
        who = ((ground.people.series == series) & (rng.random(len(ground.people)) < 0.6)).nonzero()[0]
        own = make_memberships(rng, np.sort(rng.permutation(who)[:_OWN_POOL]), today, meeting)
    return Committee(
        meeting=meeting,
        series=series,
        level=level,
        form=form,
        own_pool=own,
        fields=fields,
        applications=make_applications(rng, ground, series, fields, cases, today),
        sittings=make_sittings(rng, ground, own or pool, series, fields.every, season, meeting),
    )


def make_sittings(
    rng: Generator,
    ground: Ground,
    pool: Memberships,
    series: int,
    fields: tuple[int, ...],
    season: int,
    meeting: int,
) -> tuple[Sitting, ...]:
    """The panels of the seasons before, newest first: members of the pool at the time, some of them again."""
    skills, catalogue = ground.people.skills, ground.catalogue
    able = np.zeros(len(ground.people), dtype=bool)
    able[skills.expert[np.isin(catalogue.specialty[skills.sub], fields)]] = True
    sittings: list[Sitting] = []
    last = np.empty(0, dtype=np.int64)
    for back in range(SEASONS_BACK, 0, -1):
        on = meeting - 364 * back
        there = _there(ground, pool, series, on)
        people = (there & able).nonzero()[0]
        if len(people) < PANEL + 2:
            people = there.nonzero()[0]
        again = rng.permutation(np.intersect1d(last, people))[: round(PANEL * _RETURNING)]
        fresh = rng.permutation(np.setdiff1d(people, again))[: PANEL - len(again)]
        sitting = _seat(rng, ground, np.concatenate([again, fresh]), people, season - back, on)
        sittings.append(sitting)
        last = sitting.expert
    return tuple(reversed(sittings))


def _there(ground: Ground, pool: Memberships, series: int, on: int) -> Mask:
    """Who was in the pool on a day, with a senior title of the series."""
    people = ground.people
    there = np.zeros(len(people), dtype=bool)
    there[pool.who[(pool.entered > 0) & (pool.entered <= on) & (pool.term_until >= on)]] = True
    titled: Mask = (people.series == series) & (people.deputy_on > 0) & (people.deputy_on <= on - 365)
    return there & titled


def _seat(rng: Generator, ground: Ground, chosen: Ints, people: Ints, season: int, on: int) -> Sitting:
    """Roles and outcomes for those chosen; an alternate is called for each one who was absent."""
    full = ground.people.full_on[chosen]
    order = np.argsort(np.where((full > 0) & (full <= on), 0, 1), kind="stable")
    seated = chosen[order]
    role = np.full(len(seated), ROLES.index(Role.MEMBER))
    role[:1], role[1:3] = ROLES.index(Role.CHAIR), ROLES.index(Role.DEPUTY)
    outcome = choose(rng, _OUTCOME_SHARE, len(seated))
    outcome[:1] = OUTCOMES.index(Outcome.ATTENDED)
    missing = int(np.isin(outcome, [OUTCOMES.index(o) for o in (Outcome.ABSENT, Outcome.DECLINED)]).sum())
    others = rng.choice(people, size=min(len(people), missing * 40), replace=False)
    called = others[~np.isin(others, seated)][:missing]
    return Sitting(
        season,
        on,
        np.concatenate([seated, called]),
        np.concatenate([role, np.full(len(called), ROLES.index(Role.ALTERNATE))]),
        np.concatenate([outcome, np.full(len(called), OUTCOMES.index(Outcome.ATTENDED))]),
    )


def sat_this_season(
    streams: Streams, ground: Ground, pool: Memberships, season: int, today: int
) -> tuple[Sitting, ...]:
    """Sittings of other committees earlier this season: the load that experts already carry."""
    rng = streams("this season")
    by_series = [
        _there(ground, pool, s, today - 60).nonzero()[0] for s in range(len(ground.catalogue.series_code))
    ]
    sittings = []
    for _ in range(max(2, len(ground.people) // 250)):
        people = by_series[int(choose(rng, series_share(ground.catalogue), 1)[0])]
        if len(people) > PANEL:
            on = today - int(rng.integers(5, 55))
            sittings.append(
                _seat(rng, ground, rng.choice(people, size=17, replace=False), people, season, on)
            )
    return tuple(sittings)
