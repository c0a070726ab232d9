"""The whole made region as arrays, from which files and problems are written alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from expert_pool.region.applications import Ground
from expert_pool.region.catalogue import catalogue
from expert_pool.region.committees import (
    MEETS_AFTER,
    OUTCOMES,
    Committee,
    FieldChooser,
    Sitting,
    make_committee,
    sat_this_season,
)
from expert_pool.region.employers import make_employers
from expert_pool.region.histories import (
    ABSENT,
    LATE,
    Absences,
    Credits,
    Disciplines,
    Memberships,
    Trainings,
    make_absences,
    make_credits,
    make_disciplines,
    make_memberships,
    make_trainings,
)
from expert_pool.region.network import Ties, activity, stakes, ties_between
from expert_pool.region.people import make_people
from expert_pool.region.streams import Streams
from expert_pool.registry import Outcome
from solver.errors import Fault
from solver.facts import day
from solver.progress import Progress, Reporter, silent

TODAY = date(2026, 3, 1)
"""The day the records of a made region end, unless told otherwise."""

LEAST_EXPERTS = 300


@dataclass(frozen=True)
class Region:
    """Everything there is on the day `today`; `pool` is the provincial pool, which every expert came to."""

    streams: Streams
    today: int
    meeting: int
    """The day the first committee meets."""
    season: int
    ground: Ground
    between: Ties
    stakes: Ties
    pool: Memberships
    trainings: Trainings
    credits: Credits
    disciplines: Disciplines
    absences: Absences
    committees: tuple[Committee, ...]
    this_season: tuple[Sitting, ...]


def make_region(
    streams: Streams,
    *,
    experts: int,
    committees: int,
    cases: int,
    today: date = TODAY,
    fields_for: FieldChooser | None = None,
    report: Reporter = silent,
) -> Region:
    """Make it; `fields_for` chooses what each committee reviews. Raises Fault when there are too few experts, committees or cases to make anything of."""
    for what, number, least in (
        ("experts", experts, LEAST_EXPERTS),
        ("committees", committees, 1),
        ("cases", cases, 10),
    ):
        if number < least:
            raise Fault("region.too_few", what, what=what, number=number, least=least)
    known = catalogue()
    now = day(today)
    meeting = now + MEETS_AFTER
    report(Progress("region_people"))
    employers = make_employers(streams, known, experts, now)
    people = make_people(streams, employers, known, experts, now)
    active = activity(streams, experts)
    pool = make_memberships(streams("memberships"), np.arange(experts), now, meeting)
    report(Progress("region_relations"))
    between = ties_between(streams, people, known, active, now)
    ground = Ground(
        catalogue=known,
        employers=employers,
        people=people,
        active=active,
        holders=np.bincount(people.skills.sub, minlength=len(known.code)),
        headcount=np.bincount(people.employer, minlength=len(employers)),
    )
    made = []
    for number in range(committees):
        report(Progress("region_committees", number, committees))
        made.append(make_committee(streams, ground, pool, number, cases, today.year, now, fields_for))
    early = sat_this_season(streams, ground, pool, today.year, now)
    report(Progress("region_histories"))
    return Region(
        streams=streams,
        today=now,
        meeting=meeting,
        season=today.year,
        ground=ground,
        between=between,
        stakes=stakes(streams, people, employers, now),
        pool=pool,
        trainings=make_trainings(streams, experts, now, meeting),
        credits=_with_conduct(
            make_credits(streams, experts, now), [s for c in made for s in c.sittings] + [*early]
        ),
        disciplines=make_disciplines(streams, experts, now, meeting),
        absences=make_absences(streams, people, now, meeting),
        committees=tuple(made),
        this_season=early,
    )


def _with_conduct(credits: Credits, sittings: list[Sitting]) -> Credits:
    """The same, and what was deducted for coming late or not at all."""
    parts = [credits]
    for sitting in sittings:
        for outcome, event in ((Outcome.LATE, LATE), (Outcome.ABSENT, ABSENT)):
            who = sitting.expert[sitting.outcome == OUTCOMES.index(outcome)]
            parts.append(Credits(who, np.full(len(who), event), np.full(len(who), sitting.on)))
    return Credits(
        np.concatenate([p.expert for p in parts]),
        np.concatenate([p.event for p in parts]),
        np.concatenate([p.on for p in parts]),
    ).once()
