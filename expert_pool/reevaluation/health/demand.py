"""What the season asks for: cases by specialty, level, sector and region, and the seats that its policies put before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sqlalchemy import func, select

from expert_pool.agendas import Application, Fields, fields_on, form_groups
from expert_pool.columns import Arrays, distinct, mapped, packing, place, rows_where, truth, unpacked
from expert_pool.employers import SECTORS, employers_on
from expert_pool.policies.policy import Policy
from expert_pool.reevaluation.health.people import People
from expert_pool.registry import Agenda, Case, Committee, Meeting
from expert_pool.registry.organisers import Level
from expert_pool.specialties import Held, as_columns
from expert_pool.viewer import visible
from solver.answer import Saying
from solver.errors import Fault
from solver.facts import MISSING, Ints

LEVELS = tuple(Level)

_CASES = {
    "row": Case.id,
    "agenda": Case.agenda_id,
    "specialty": Case.specialty_id,
    "employer": Case.employer_id,
    "level": place(Case.level, LEVELS),
    "directed": truth(Case.directed),
    "season": Agenda.season,
}


@dataclass(frozen=True)
class Demand:
    """Cases as aligned arrays: `field` (place in `fields`, the codes of specialties), `level` (place in LEVELS), `sector`
    (place in SECTORS), `region` (place in `regions`), `season`; MISSING where it is not known. `seats` and `peak` by
    (field, level): members and alternates of the whole season, and of the panel that asks most."""

    season: int
    seasons: int
    fields: tuple[str, ...]
    named: Fields
    regions: tuple[str, ...]
    rows: Arrays
    seats: Mapping[tuple[int, int], float]
    peak: Mapping[tuple[int, int], float]
    notes: list[Saying] = field(default_factory=list)

    def now(self) -> Arrays:
        """The cases of the season itself."""
        return rows_where(self.rows, self.rows["season"] == self.season)

    def before(self) -> Arrays:
        """The cases of the seasons before."""
        return rows_where(self.rows, self.rows["season"] < self.season)


def demand_on(people: People, season: int, years: int, policies: Mapping[str, Policy]) -> Demand:
    """The cases before committees of the pool in a season and the `years` before, and the season's seats. `policies` by
    the code of the committee."""
    session, viewer = people.session, people.viewer
    statement = (
        packing(_CASES)
        .join_from(Case, Agenda, Agenda.id == Case.agenda_id)
        .join(Committee, Committee.id == Agenda.committee_id)
        .where(
            Committee.pool_id == people.pool_id,
            Agenda.season >= season - years,
            Agenda.season <= season,
            *visible(viewer, Case, Agenda, Committee),
        )
    )
    rows, _ = unpacked(session, statement, _CASES)
    catalogue = people.facts.catalogue
    entries = {i: catalogue.one(i) for i in distinct(rows["specialty"])}
    known = fields_on(session, people.on)
    held = {e.broad for i in distinct(people.facts.held.entry) for e in catalogue.read[i]}
    fields = tuple(sorted({e.broad for e in entries.values()} | held))
    at = {code: n for n, code in enumerate(fields)}
    units = employers_on(
        session, viewer, distinct(rows["employer"]), on=people.on, known_at=people.facts.known_at
    )
    person = mapped(rows["employer"], units.person)
    regions = tuple(sorted({*people.category("region")[1], *(r for r in units.regions.values() if r)}))
    where = {region: n for n, region in enumerate(regions)}
    rows |= {
        "field": mapped(rows["specialty"], {i: at[e.broad] for i, e in entries.items()}),
        "sector": mapped(person, units.sector),
        "region": mapped(person, {i: where[r] for i, r in units.regions.items() if r}),
    }
    demand = Demand(season, years, fields, known, regions, rows, {}, {})
    return _seated(people, demand, policies)


def _seated(people: People, demand: Demand, policies: Mapping[str, Policy]) -> Demand:
    """The demand with its seats: agenda by agenda as its policy groups the cases, and for every meeting anew."""
    meetings: dict[int, int] = dict(
        people.session.execute(select(Meeting.agenda_id, func.count()).group_by(Meeting.agenda_id)).all()
    )
    agendas = people.session.execute(
        select(Agenda.id, Agenda.code, Committee.code.label("committee"), Committee.level)
        .join(Committee, Committee.id == Agenda.committee_id)
        .where(
            Committee.pool_id == people.pool_id,
            Agenda.season == demand.season,
            *visible(people.viewer, Agenda, Committee),
        )
        .order_by(Agenda.code)
    ).all()
    now = demand.now()
    order = np.argsort(now["agenda"], kind="stable")
    now = rows_where(now, order)
    seats: dict[tuple[int, int], float] = {}
    peak: dict[tuple[int, int], float] = {}
    for agenda in agendas:
        first, last = np.searchsorted(now["agenda"], [agenda.id, agenda.id + 1]).tolist()
        if first == last:
            demand.notes.append(Saying(code="health.agenda_empty", params={"agenda": agenda.code}))
            continue
        own = rows_where(now, slice(first, last))
        for key, number in _agenda_seats(people, demand, own, agenda, policies[agenda.committee]).items():
            peak[key] = max(peak.get(key, 0.0), number)
            seats[key] = seats.get(key, 0.0) + number * max(1, meetings.get(agenda.id, 1))
    return replace(demand, seats=seats, peak=peak)


def _agenda_seats(
    people: People, demand: Demand, own: Arrays, agenda: Any, policy: Policy
) -> dict[tuple[int, int], float]:
    """Seats of one panel by (field, level): those of a group go to its cases in equal parts."""
    level = str(agenda.level)
    try:
        seating = policy.seats(level)
    except Fault as fault:
        demand.notes.append(
            Saying(
                code="health.seats_unknown",
                params={"agenda": agenda.code, "policy": policy.id, "why": fault.code},
            )
        )
        return {}
    each = _each(people, demand, own, agenda, policy)
    if each is None:
        each = np.full(len(own["row"]), (seating.low + seating.alternates) / len(own["row"]))
    found: dict[tuple[int, int], float] = {}
    keys = own["field"] * len(LEVELS) + own["level"]
    sums = np.bincount(keys, weights=each)
    for key in np.flatnonzero(sums).tolist():
        found[divmod(key, len(LEVELS))] = float(sums[key])
    return found


def _each(people: People, demand: Demand, own: Arrays, agenda: Any, policy: Policy) -> Any:
    """Seats per case by the groups of the policy; None where the agenda cannot be grouped (which is noted)."""
    catalogue = people.facts.catalogue
    entries = [catalogue.one(i) for i in own["specialty"].tolist()]
    specialties, _, index = as_columns(catalogue, _NOBODY, {e.id for e in entries})
    cases = [
        Application(str(row), index[entry.id], bool(directed))
        for row, entry, directed in zip(own["row"].tolist(), entries, own["directed"].tolist(), strict=True)
    ]
    try:
        grouping = form_groups(policy, cases, specialties, demand.named, level=str(agenda.level))
    except Fault as fault:
        said = {"agenda": agenda.code, "why": fault.code}
        demand.notes.append(Saying(code="health.not_grouped", params=said))
        return None
    sizes = np.array([g.low + g.alternates for g in grouping.groups], dtype=np.float64)
    return (sizes / np.bincount(grouping.of_case, minlength=len(sizes)))[grouping.of_case]


_NOTHING = np.empty(0, dtype=np.int64)
_NOBODY = Held(_NOTHING, _NOTHING, _NOTHING)


def cell_cases(demand: Demand, rows: Arrays) -> dict[tuple[int, int, int, int], int]:
    """Cases by (field, sector, region, level), MISSING where sector or region are not known."""
    shape = (len(demand.fields), len(SECTORS) + 1, len(demand.regions) + 1, len(LEVELS))
    return tally(shape, rows["field"], rows["sector"], rows["region"], rows["level"])


def tally(
    shape: tuple[int, int, int, int], field: Ints, sector: Ints, region: Ints, level: Ints
) -> dict[tuple[int, int, int, int], int]:
    """How many there are of each combination; MISSING counts as a value of its own for sector and region."""
    parts = (
        field,
        np.where(sector == MISSING, shape[1] - 1, sector),
        np.where(region == MISSING, shape[2] - 1, region),
    )
    keys = np.ravel_multi_index((*parts, level), shape)
    found, counts = np.unique(keys, return_counts=True)
    at = np.unravel_index(found, shape)
    cells = zip(*(column.tolist() for column in at), strict=True)
    return {
        (f, MISSING if s == shape[1] - 1 else s, MISSING if r == shape[2] - 1 else r, x): n
        for (f, s, r, x), n in zip(cells, counts.tolist(), strict=True)
    }
