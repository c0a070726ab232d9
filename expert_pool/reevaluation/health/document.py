"""The health of a pool as a document: `pool-health/1`. No personal data: experts appear by code, in the invitations only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from solver.answer import Part, Saying


class Cell(Part):
    """Supply against demand where a specialty, a sector, a region and a level meet. `supply`: who may be drawn and whose
    title is at or above the level; somebody in two specialties is in both. `cases`: of the season, from employers of that
    sector and region; `last`: per season before, on average; `seats`: how many seats of the season fall to the cell by its
    share of the cases. Thin: fewer than `choice` people for each seat (rounded up)."""

    specialty: str
    sector: str | None
    region: str | None
    level: str
    supply: int
    cases: int
    last: float
    seats: float
    thin: bool


class Field(Part):
    """The same over all sectors and regions. `seats`: members and alternates asked for in the season; `peak`: by the
    committee that asks most at once. `lasting`: how many of the supply are left in a year if no term is renewed."""

    specialty: str
    name: str
    level: str
    supply: int
    lasting: int
    cases: int
    last: float
    seats: float
    peak: float
    thin: bool


class Band(Part):
    """Members of an age or a time left, from `low` up to but not `high` (None: open), women, men, and not known."""

    low: int | None
    high: int | None
    female: int
    male: int
    unknown: int


class Year(Part):
    """Days from `first` to `last`: members at the beginning, terms that end, members who come to the age of retirement,
    and who leaves by either (the earlier counts once); `left` stay if nobody is renewed or taken in."""

    first: date
    last: date
    members: int
    terms_end: int
    retire: int
    leave: int
    left: int


class Range(Part):
    """The middle 95% of what even chance gives, from so many simulated draws."""

    low: float
    high: float
    replications: int


class Load(Part):
    """How the seats taken from `since` on are shared among members. `steady`: those who were members all the time;
    fairness is measured among them, since newcomers had no time to serve. `gini_by_chance`: what a perfectly even random
    draw of as many seats would give."""

    since: date
    members: int
    seats: int
    steady: int
    steady_seats: int
    never: float | None
    gini: float | None
    gini_by_chance: Range | None
    top_tenth: float | None
    lorenz: list[tuple[float, float]]


class Share(Part):
    """An employer's part: of the seats and of the members, 0..1."""

    employer: str
    seats: int
    of_seats: float
    of_members: float


class Concentration(Part):
    """Service by employer (of the members now). `hhi` 0..10000; `as_many_as`: to how many equal employers that comes."""

    employers: int
    hhi: float | None
    as_many_as: float | None
    hhi_of_members: float | None
    most: list[Share]


class Was(Part):
    """The pool on a day, and in the year up to it."""

    on: date
    members: int
    drawable: int
    admitted: int
    left: int
    median_age: float | None
    private: float | None
    seats: int
    never: float | None
    gini: float | None


class Profile(Part):
    """So many new experts of one kind: a specialty, facts that are asked of them, whom they serve and which rules they
    count for."""

    count: int
    specialty: str
    name: str
    facts: dict[str, int | str | None]
    committees: list[str]
    rules: list[str]


class CommitteeNeed(Part):
    """One committee's meeting in the plan: what stands in the way of a panel, if anything. `needs`: the fewest recruits
    for this meeting alone."""

    committee: str
    meeting: str
    on: date
    policy: str
    status: Literal["none_needed", "found", "no_number_helps", "undecided", "unasked"]
    needs: int | None
    note: Saying | None = None


class Plan(Part):
    """The fewest new experts with whom every meeting of the season can have a lawful panel. `bound`: no fewer will do;
    equal to `count` where it is proven. Somebody taken in may serve several committees, one panel each."""

    status: Literal["none_needed", "found", "no_number_helps", "undecided", "unasked"]
    season: int
    count: int | None
    bound: int
    proven: bool
    profiles: list[Profile]
    meetings: list[CommitteeNeed]


class Invitation(Part):
    """A candidate worth inviting. `fills`: of the profiles of the plan (from 0) those they fit; `thin`: thin fields they
    are at home in."""

    rank: int
    expert: str
    employer: str | None
    sector: str | None
    region: str | None
    title: int | None
    specialties: list[str]
    fills: list[int]
    thin: list[str]
    reasons: list[Saying]


class Invitations(Part):
    """Who was looked at: candidates of the pool, of them those of the sector asked for, barred ones, and the list."""

    candidates: int
    sector: str | None
    of_sector: int
    barred: int
    listed: list[Invitation]


class Health(Part):
    """A pool on a day, as known at a moment. Shares are 0..1."""

    format: Literal["pool-health/1"] = "pool-health/1"
    pool: str
    name: str
    as_of: date
    known_at: datetime
    season: int
    choice: int
    retires_at: int
    members: int
    drawable: int
    states: dict[str, int]
    sectors: dict[str, int]
    cells: list[Cell]
    fields: list[Field]
    ages: list[Band]
    terms: list[Band]
    forecast: list[Year]
    no_term: int
    no_birth: int
    load: Load
    concentration: Concentration
    trend: list[Was]
    plan: Plan
    invitations: Invitations
    notes: list[Saying]
