"""The facts of the region's experts, as `expert_pool.facts` would find them in a registry that imported the files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from expert_pool.columns import as_date, full_years
from expert_pool.lifecycle import State
from expert_pool.region.committees import OUTCOMES, Committee, Sitting
from expert_pool.region.employers import PREFECTURES, SECTORS, employer_codes
from expert_pool.region.histories import CANDIDATE, IN_TERM, SANCTIONS, away
from expert_pool.region.world import Region
from expert_pool.registry import Gender, Outcome, Sanction
from solver.facts import MISSING, Column, Ints

_BARRED = {
    Sanction.RESTRICTION: State.RESTRICTED,
    Sanction.RETRAINING: State.RETRAIN,
    Sanction.SUSPENSION: State.SUSPENDED,
    Sanction.BAN: State.BANNED,
}


def employer_of(region: Region) -> Ints:
    """The legal person each expert's main employer counts as today, after mergers."""
    employers = region.ground.employers
    found: Ints = employers.merged_into[region.ground.people.employer]
    return found


def facts_of(region: Region, committee: Committee) -> dict[str, Column]:
    """Every fact about every expert on the day of the committee's meeting."""
    people, employers, pool = region.ground.people, region.ground.employers, region.pool
    count, meeting = len(people), region.meeting
    employer, on = employer_of(region), as_date(meeting)
    rank_on = np.select(
        [people.full_on > 0, people.deputy_on > 0], [people.full_on, people.deputy_on], people.mid_on
    )
    rank = np.where(people.series == committee.series, people.rank(), MISSING)
    applicant = np.zeros(count, dtype=np.int64)
    own = committee.applications.expert
    applicant[own[own >= 0]] = 1
    return {
        "state": _categories([s.value for s in State], _states(region)),
        "in_pool": Column("boolean", (pool.status == IN_TERM).astype(np.int64)),
        "term_until": Column("date", np.where(pool.term_until > 0, pool.term_until, MISSING)),
        "trained_until": Column(
            "date", np.where(region.trainings.valid_until > 0, region.trainings.valid_until, MISSING)
        ),
        "credit": Column("integer", region.credits.totals(count)),
        "rank": Column("integer", rank),
        "rank_years": Column("integer", np.where(rank == MISSING, MISSING, full_years(rank_on, on))),
        "age": Column("integer", full_years(people.born, on)),
        "employer": _categories(employer_codes(len(employers)), employer),
        "sector": _categories([s.value for s in SECTORS], employers.sector[employer]),
        "region": _categories(PREFECTURES, employers.region[employer]),
        "gender": _categories([Gender.FEMALE.value, Gender.MALE.value], 1 - people.women.astype(np.int64)),
        "available": Column("boolean", 1 - away(region.absences, count, meeting).astype(np.int64)),
        "consecutive_terms": Column("integer", _in_a_row(committee.sittings, count)),
        "years_since_served": Column("integer", _since_served(region, committee)),
        "seats_this_season": Column("integer", _load(region.this_season, count)),
        "applicant": Column("boolean", applicant),
    }


def _categories(names: Sequence[str], values: Ints) -> Column:
    """A category column whose names are sorted, as in every problem file."""
    order = sorted(range(len(names)), key=lambda i: names[i])
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return Column("category", place[values], tuple(names[i] for i in order))


def _states(region: Region) -> Ints:
    states = list(State)
    status, barred = region.pool.status, region.disciplines.barred
    found = np.full(len(status), states.index(State.EXITED))
    found[status == CANDIDATE] = states.index(State.CANDIDATE)
    found[status == IN_TERM] = states.index(State.ACTIVE)
    for sanction, state in _BARRED.items():
        hit = barred == 1 + SANCTIONS.index(sanction)
        found[hit & ((status == IN_TERM) | (sanction is Sanction.BAN))] = states.index(state)
    return found


def took_part(sitting: Sitting) -> Ints:
    """Who really sat."""
    sat = np.isin(sitting.outcome, [OUTCOMES.index(Outcome.ATTENDED), OUTCOMES.index(Outcome.LATE)])
    found: Ints = sitting.expert[sat]
    return found


def _in_a_row(sittings: Sequence[Sitting], count: int) -> Ints:
    terms = np.zeros(count, dtype=np.int64)
    unbroken = np.ones(count, dtype=bool)
    for sitting in sittings:
        seated = np.zeros(count, dtype=bool)
        seated[took_part(sitting)] = True
        unbroken &= seated
        terms += unbroken
    return terms


def _since_served(region: Region, committee: Committee) -> Ints:
    last = np.full(len(region.ground.people), MISSING)
    for sitting in (*committee.sittings, *region.this_season):
        who = took_part(sitting)
        last[who] = np.maximum(last[who], sitting.on)
    return full_years(last, as_date(region.meeting))


def _load(sittings: Sequence[Sitting], count: int) -> Ints:
    load = np.zeros(count, dtype=np.int64)
    for sitting in sittings:
        load[took_part(sitting)] += 1
    return load
