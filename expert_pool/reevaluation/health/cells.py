"""Supply against demand: by specialty and level, and finer by sector and region."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np

from expert_pool.columns import distinct, mapped
from expert_pool.employers import SECTORS
from expert_pool.reevaluation.health.demand import LEVELS, Demand, cell_cases, tally
from expert_pool.reevaluation.health.document import Cell, Field
from expert_pool.reevaluation.health.forecasting import lasting
from expert_pool.reevaluation.health.people import LEVEL_RANK, People
from solver.facts import MISSING, Ints, Mask

Key = tuple[int, int, int, int]
"""Field, sector, region (MISSING where unknown), level."""

YEAR = timedelta(days=365)


def at_home(people: People, demand: Demand) -> tuple[Ints, Ints]:
    """Who is at home in which specialty (place in `demand.fields`): each pair once."""
    place = {code: n for n, code in enumerate(demand.fields)}
    read = people.facts.catalogue.read
    broad = {i: place[read[i][0].broad] for i in distinct(people.facts.held.entry)}
    width = max(len(demand.fields), 1)
    field = mapped(people.facts.held.entry, broad)
    pairs = np.unique(people.facts.held.expert * width + field)
    return pairs // width, pairs % width


def fields(people: People, demand: Demand, choice: int) -> list[Field]:
    """Every specialty and level that is asked for or that somebody could serve."""
    expert, field = at_home(people, demand)
    there, staying = people.drawable, lasting(people, people.on + YEAR)
    now, before = demand.now(), demand.before()
    found = []
    for number, level in enumerate(LEVELS):
        able = people.rank[expert] >= LEVEL_RANK[level]
        supply, left = (_count(field, expert, able, who, len(demand.fields)) for who in (there, staying))
        cases, last = (
            np.bincount(rows["field"][rows["level"] == number], minlength=len(demand.fields))
            for rows in (now, before)
        )
        asked = {f for f, x in demand.peak if x == number}
        for f in np.flatnonzero(cases + last).tolist():
            asked.add(f)
        for f in sorted(asked):
            peak = demand.peak.get((f, number), 0.0)
            code = demand.fields[f]
            found.append(
                Field(
                    specialty=code,
                    name=demand.named.name.get(code, code),
                    level=str(level),
                    supply=int(supply[f]),
                    lasting=int(left[f]),
                    cases=int(cases[f]),
                    last=int(last[f]) / max(1, demand.seasons),
                    seats=round(demand.seats.get((f, number), 0.0), 6),
                    peak=round(peak, 6),
                    thin=int(supply[f]) < choice * whole(peak),
                )
            )
    return sorted(found, key=lambda one: (one.specialty, LEVELS.index(one.level)))


def _count(field: Ints, expert: Ints, able: Mask, who: Mask, size: int) -> Ints:
    return np.bincount(field[able & who[expert]], minlength=size).astype(np.int64)


def whole(seats: float) -> int:
    """Seats as whole ones, rounded up; a trace of a rounding error is none."""
    return math.ceil(seats - 1e-9)


def cells(people: People, demand: Demand, choice: int) -> list[Cell]:
    """Every combination that is asked for or that somebody drawable fills, of the levels asked for."""
    expert, field = at_home(people, demand)
    supply = _supply(people, demand, expert, field)
    cases, last = cell_cases(demand, demand.now()), cell_cases(demand, demand.before())
    total: dict[tuple[int, int], int] = {}
    for (f, _, _, x), number in cases.items():
        total[f, x] = total.get((f, x), 0) + number
    found = []
    for key in sorted({*supply, *cases, *last}):
        f, sector, region, x = key
        share = cases.get(key, 0) / total[f, x] if (f, x) in total else 0.0
        seats = demand.peak.get((f, x), 0.0) * share
        people_there = supply.get(key, 0)
        found.append(
            Cell(
                specialty=demand.fields[f],
                sector=None if sector == MISSING else str(SECTORS[sector]),
                region=None if region == MISSING else demand.regions[region],
                level=str(LEVELS[x]),
                supply=people_there,
                cases=cases.get(key, 0),
                last=last.get(key, 0) / max(1, demand.seasons),
                seats=round(seats, 6),
                thin=people_there < choice * whole(seats),
            )
        )
    return found


def _supply(people: People, demand: Demand, expert: Ints, field: Ints) -> dict[Key, int]:
    values, names = people.category("region")
    place = {name: n for n, name in enumerate(demand.regions)}
    region = mapped(values, {i: place[name] for i, name in enumerate(names)})
    sector, _ = people.category("sector")
    shape = (len(demand.fields), len(SECTORS) + 1, len(demand.regions) + 1, len(LEVELS))
    levels = sorted({x for _, x in demand.peak} | set(np.unique(demand.rows["level"]).tolist()))
    found: dict[Key, int] = {}
    for x in levels:
        own = people.drawable[expert] & (people.rank[expert] >= LEVEL_RANK[LEVELS[x]])
        who, where = expert[own], field[own]
        found |= tally(shape, where, sector[who], region[who], np.full(len(who), x))
    return found
