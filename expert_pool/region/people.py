"""The experts of the made region: who they are, their titles, employers and skills."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from expert_pool.region.catalogue import Catalogue
from expert_pool.region.employers import PREFECTURE_WEIGHT, Employers, place_experts, series_share
from expert_pool.region.streams import Cells, Floats, Streams, choose, zipf
from solver.facts import Ints, Mask

YEAR = 365.25

_WOMEN = {
    "01": 0.46, "03": 0.38, "04": 0.56, "05": 0.58, "07": 0.34, "08": 0.29, "09": 0.45, "10": 0.55, "12": 0.52,
    "13": 0.48,
}  # fmt: skip
_THIN_SHARE = (0.00012, 0.00045)
"""Between which shares of all experts have a sub-specialty of a new occupation as their first."""


@dataclass(frozen=True, slots=True)
class Skilled:
    """Who holds which sub-specialty, as aligned arrays sorted by expert; the first one of each expert is the main one."""

    expert: Ints
    sub: Ints
    proficiency: Ints
    since: Ints


@dataclass(frozen=True, slots=True)
class People:
    """Experts as aligned arrays. Dates are days since 1970-01-01, 0 where a title was not awarded.

    `employer` is the main legal person, `second` another one at the same time and `former` the one before
    (-1 for none). `left_on` is the day they left the former for the main one.
    """

    women: Mask
    born: Ints
    series: Ints
    region: Ints
    mid_on: Ints
    deputy_on: Ints
    full_on: Ints
    employer: Ints
    employed_on: Ints
    second: Ints
    second_on: Ints
    former: Ints
    former_on: Ints
    left_on: Ints
    main_sub: Ints
    skills: Skilled

    def __len__(self) -> int:
        return len(self.born)

    def rank(self) -> Ints:
        """2 mid, 3 deputy senior, 4 full senior."""
        return 2 + (self.deputy_on > 0) + (self.full_on > 0)


def make_people(
    streams: Streams, employers: Employers, catalogue: Catalogue, count: int, today: int
) -> People:
    """So many experts, as they are on the day `today`."""
    rng = streams("people")
    series = choose(rng, series_share(catalogue), count)
    women = rng.random(count) < np.array([_WOMEN[code] for code in catalogue.series_code])[series]
    born = today - np.floor((30.0 + 42.0 * rng.beta(2.7, 2.9, count)) * YEAR).astype(np.int64)

    mid_on = born + _years(rng, 27.0, 31.0, count)
    deputy_on = mid_on + _years(rng, 4.5, 8.0, count)
    full_on = deputy_on + _years(rng, 4.5, 11.0, count)
    full_on = np.where((full_on <= today) & (rng.random(count) < 0.74), full_on, 0)
    deputy_on = np.where((deputy_on <= today) & ((full_on > 0) | (rng.random(count) < 0.97)), deputy_on, 0)
    mid_on = np.minimum(mid_on, today - 1)

    employer = place_experts(streams, employers, catalogue, series)
    age_at_work = (today - born) - 24 * YEAR
    employed_on = today - np.floor(age_at_work * rng.beta(1.6, 1.3, count)).astype(np.int64)
    moved = rng.random(count) < 0.22
    another = place_experts(Streams((*streams.seed, 1)), employers, catalogue, series)
    former = np.where(moved & (another != employer), another, -1)
    recent = rng.random(count) < 0.35
    employed_on = np.where(
        moved & recent, today - rng.integers(60, int(5 * YEAR), count), np.minimum(employed_on, today - 30)
    )
    third = place_experts(Streams((*streams.seed, 2)), employers, catalogue, series)
    twice = (rng.random(count) < 0.05) & (third != employer)
    main_sub, skills = _skills(streams("skills"), catalogue, series, today)
    return People(
        women=women,
        born=born,
        series=series,
        region=np.where(
            rng.random(count) < 0.93, employers.region[employer], choose(rng, PREFECTURE_WEIGHT, count)
        ),
        mid_on=mid_on,
        deputy_on=deputy_on,
        full_on=full_on,
        employer=employer,
        employed_on=employed_on,
        second=np.where(twice, third, -1),
        second_on=today - rng.integers(60, int(4 * YEAR), count),
        former=former,
        former_on=employed_on - rng.integers(int(YEAR), int(8 * YEAR), count),
        left_on=employed_on - 1,
        main_sub=main_sub,
        skills=skills,
    )


def _years(rng: Generator, low: float, high: float, count: int) -> Ints:
    return np.floor(rng.uniform(low, high, count) * YEAR).astype(np.int64)


def popularity(rng: Generator, catalogue: Catalogue) -> Floats:
    """The weight of each sub-specialty within its series: heavy-tailed, and next to nothing for the new occupations."""
    shares = series_share(catalogue)
    weights = np.zeros(len(catalogue.code))
    for series in range(len(catalogue.series_code)):
        common = ((catalogue.specialty_series == series) & ~catalogue.fresh).nonzero()[0]
        for specialty, share in zip(common, zipf(len(common), 0.85), strict=True):
            subs = catalogue.subs(int(specialty))
            weights[subs] = share * zipf(len(subs), 0.9)
        for specialty in ((catalogue.specialty_series == series) & catalogue.fresh).nonzero()[0]:
            subs = catalogue.subs(int(specialty))
            weights[subs] = rng.uniform(*_THIN_SHARE, len(subs)) / shares[series]
    return weights


def _skills(rng: Generator, catalogue: Catalogue, series: Ints, today: int) -> tuple[Ints, Skilled]:
    count, kinds = len(series), len(catalogue.code)
    weights = popularity(rng, catalogue)
    in_series = Cells(catalogue.series, weights, len(catalogue.series_code))
    in_specialty = Cells(catalogue.specialty, weights, len(catalogue.specialty_code))
    main = in_series.draw(rng, series)
    held = [np.arange(count) * kinds + main]
    for likely in (0.55, 0.18):
        more = (rng.random(count) < likely).nonzero()[0]
        near = rng.random(len(more)) < 0.75
        other = np.where(
            near,
            in_specialty.draw(rng, catalogue.specialty[main[more]]),
            in_series.draw(rng, series[more]),
        )
        held.append(more * kinds + other)
    pairs = np.unique(np.concatenate(held))
    expert, sub = np.divmod(pairs, kinds)
    first = sub == main[expert]
    proficiency = 1 + (rng.random(len(pairs)) < 0.7) + (rng.random(len(pairs)) < np.where(first, 0.4, 0.15))
    new = np.array([code is None for code in catalogue.before])[sub]
    since = today - rng.integers(40, np.where(new, int(2 * YEAR), int(9 * YEAR)), len(pairs))
    order = np.lexsort((sub, ~first, expert))
    return main, Skilled(expert[order], sub[order], proficiency[order].astype(np.int64), since[order])
