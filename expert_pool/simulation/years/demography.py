"""How a pool ages and renews itself, apart from its panels: who is there in each season, for how long, trained until when.

Nothing here depends on who sits, so that all seasons of a replication can be had at once, and by everybody who knows the seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from expert_pool.simulation.years.chance import Chance, picked
from expert_pool.simulation.years.document import YearsDoc
from expert_pool.simulation.years.ground import Ground, first_day, on_in
from solver.facts import MISSING, Floats, Ints, Mask

NEVER = 1_000_000
"""A season that does not come."""


@dataclass(frozen=True)
class Census:
    """The pool in a season: people in some pool on the day the first committee meets, their mean age, and what happened
    since the season before."""

    in_pool: int
    mean_age: float
    entered: int
    retired: int
    left: int
    ended: int
    lapsed: int
    barred: int


@dataclass(frozen=True)
class Course:
    """The seasons of one replication. Shape (seasons, people), `terms` (seasons, pools, people). `gone`: not there, or not
    yet. `promoted`: drawn for promotion in that season, if their rank allows; `learned` (new specialties, people): the
    season in which they have learned it, NEVER otherwise."""

    gone: Mask
    terms: Ints
    trained: Ints
    barred: Mask
    away: Mask
    promoted: Mask
    learned: Ints
    census: tuple[Census, ...]


def course(ground: Ground, years: YearsDoc, chance: Chance) -> Course:
    """All seasons of one replication."""
    shape = (years.seasons, ground.people)
    gone, barred, away = (np.zeros(shape, dtype=bool) for _ in range(3))
    promoted = np.zeros(shape, dtype=bool)
    trained = np.empty(shape, dtype=np.int64)
    terms = np.empty((years.seasons, *ground.terms.shape), dtype=np.int64)
    trained[0], terms[0] = ground.trained, _known_terms(ground, years, chance)
    gone[0] = ground.enters > 0
    learned = np.full((len(years.specialties), ground.people), NEVER)
    census = [_census(ground, 0, gone[0], terms[0], (0, 0, 0, 0, 0))]
    left_for_good = np.zeros(ground.people, dtype=bool)
    for season in range(1, years.seasons):
        year = ground.year + season

        def drawn(purpose: str, year: int = year) -> Floats:
            return chance.on(ground.keys, purpose, year)

        since = min(on_in(t.problem, 0) for t in ground.templates) if season == 1 else first_day(year)
        inside = (ground.member & (terms[season - 1] >= since)).any(axis=0)
        here = inside & ~left_for_good & (ground.enters <= season)
        old = here & (ground.ages != MISSING) & (ground.ages + season >= years.retire.age)
        leaving = here & ~old & (drawn("leave") < float(years.retire.leave))
        left_for_good |= old | leaving
        gone[season] = left_for_good | (ground.enters > season)

        staying = here & ~left_for_good
        terms[season], ended = _terms(terms[season - 1], staying, years, (since, year), drawn("term"))
        trained[season], lapsed = _trained(trained[season - 1], years, year, drawn("training"))
        newly = drawn("sanction") < float(years.sanctions.share)
        newly &= ground.enters < season
        barred[season : season + years.sanctions.seasons] |= newly
        away[season] = drawn("away") < float(years.away)
        promoted[season] = drawn("promotion") < float(years.promotion.share)
        for s, specialty in enumerate(years.specialties):
            if year >= specialty.year:
                now = drawn(f"learn:{specialty.code}") < float(specialty.learned)
                learned[s] = np.where(now & (learned[s] == NEVER), season, learned[s])
        happened = (
            int((here & old).sum()),
            int(leaving.sum()),
            int((ended & ~left_for_good).sum()),
            int((lapsed & ground.member.any(axis=0) & ~gone[season]).sum()),
            int((newly & here).sum()),
        )
        census.append(_census(ground, season, gone[season], terms[season], happened))
    return Course(gone, terms, trained, barred, away, promoted, learned, tuple(census))


def _known_terms(ground: Ground, years: YearsDoc, chance: Chance) -> Ints:
    """The terms of today; where nothing is known, ends spread over one term."""
    days = round(365.25 * years.terms.years)
    spread = first_day(ground.year + 1) - 1 + picked(chance.on(ground.keys, "first term", 0), days)
    found: Ints = np.where(ground.terms == MISSING, spread, ground.terms)
    return found


def _terms(
    before: Ints, staying: Mask, years: YearsDoc, span: tuple[int, int], numbers: Floats
) -> tuple[Ints, Mask]:
    """The terms in a year; `span`: the day since which terms have ended that may be renewed, and the year. Also: whose end."""
    since, year = span
    ending = staying & (before < first_day(year + 1)) & (before >= since)
    again = ending & (numbers < float(years.terms.renewed))
    longer = before + round(365.25 * years.terms.years)
    ended: Mask = np.asarray((ending & ~again).any(axis=0))
    return np.where(again, longer, before), ended


def _trained(before: Ints, years: YearsDoc, year: int, numbers: Floats) -> tuple[Ints, Mask]:
    """The trainings in a year: those that end in it, or ended before, may be taken again. Also: who does not."""
    ending = before < first_day(year + 1)
    again = ending & (numbers < float(years.training.renewed))
    from_ = np.maximum(before, first_day(year) - 1)
    return np.where(again, from_ + round(365.25 * years.training.years), before), ending & ~again


def _census(
    ground: Ground, season: int, gone: Mask, terms: Ints, happened: tuple[int, int, int, int, int]
) -> Census:
    on = min(on_in(template.problem, season) for template in ground.templates)
    there = (ground.member & (terms >= on)).any(axis=0) & ~gone
    ages = ground.ages[there & (ground.ages != MISSING)] + season
    retired, left, ended, lapsed, barred = happened
    return Census(
        in_pool=int(there.sum()),
        mean_age=round(float(ages.mean()), 3) if len(ages) else 0.0,
        entered=int((ground.enters == season).sum()) if season else 0,
        retired=retired,
        left=left,
        ended=ended,
        lapsed=lapsed,
        barred=barred,
    )
