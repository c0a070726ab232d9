"""Who applies to a committee of the made region, and how they are tied to its experts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from expert_pool.region.catalogue import AGRICULTURE, ENGINEERING, Catalogue
from expert_pool.region.employers import SECTORS, Employers
from expert_pool.region.network import Ties, dated, join
from expert_pool.region.people import People
from expert_pool.region.streams import Cells, Floats, choose
from expert_pool.registry import RelationKind, Sector
from solver.apportion import apportion
from solver.facts import Ints, Mask

RURAL = ("0806", "0805", "0701", "0703")
"""Where directed evaluation for rural posts takes place, by preference."""

_DIRECTED_SHARE = {ENGINEERING: 0.12, AGRICULTURE: 0.25}
_THIN_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Fields:
    """The specialties a committee reviews: common ones, new occupations, and those of its rural block."""

    common: tuple[int, ...]
    thin: tuple[int, ...]
    rural: tuple[int, ...]

    @property
    def every(self) -> tuple[int, ...]:
        return (*self.common, *self.thin, *self.rural)


@dataclass(frozen=True, slots=True)
class Applications:
    """The cases of an agenda as aligned arrays; `ties` relate experts to cases (`right` is the case).

    `expert` is the applicant's own index among the experts, -1 for everybody else.
    """

    sub: Ints
    employer: Ints
    directed: Mask
    expert: Ints
    ties: Ties

    def __len__(self) -> int:
        return len(self.sub)


@dataclass(frozen=True)
class Ground:
    """What applications are drawn from. `holders` counts the experts of each sub-specialty, `headcount` those of each
    legal person; `active` is how much each expert works with others."""

    catalogue: Catalogue
    employers: Employers
    people: People
    active: Floats
    holders: Ints
    headcount: Ints

    @property
    def by_field(self) -> Floats:
        """Holders of each specialty, those of two sub-specialties counted twice."""
        return np.bincount(self.catalogue.specialty, self.holders, len(self.catalogue.specialty_code)).astype(
            np.float64
        )


def pick_fields(rng: Generator, ground: Ground, series: int, breadth: tuple[int, int]) -> Fields:
    """The fields of a committee: between `breadth` common ones from the most popular, one new, one rural."""
    catalogue = ground.catalogue
    own = (catalogue.specialty_series == series).nonzero()[0]
    rural = [s for code in RURAL for s in own.tolist() if catalogue.specialty_code[s] == code][:1]
    fresh = own[catalogue.fresh[own]]
    popular = own[np.argsort(-ground.by_field[own], kind="stable")]
    usual = popular[~np.isin(popular, [*rural, *fresh])]
    wanted = int(rng.integers(breadth[0], breadth[1] + 1))
    common = rng.permutation(usual[: wanted + 3])[:wanted]
    thin = (int(rng.choice(fresh)),) if len(fresh) else ()
    return Fields(tuple(sorted(common.tolist())), thin, tuple(rural))


def make_applications(
    rng: Generator, ground: Ground, series: int, fields: Fields, cases: int, today: int
) -> Applications:
    """So many cases: a few in the new occupation, a rural block, the rest in the common fields."""
    catalogue, people = ground.catalogue, ground.people
    counts = _cases_by_field(ground, series, fields, cases)
    field = np.repeat(np.array(fields.every, dtype=np.int64), counts)
    directed = np.isin(field, fields.rural)
    by_field = Cells(
        catalogue.specialty, ground.holders.astype(np.float64) + 2.0, len(catalogue.specialty_code)
    )
    sub = by_field.draw(rng, field)

    size = (ground.headcount + 0.3) ** 0.8
    near = (ground.employers.series == series) | (ground.employers.series < 0)
    village = near & (ground.employers.sector == SECTORS.index(Sector.GRASSROOTS))
    employer = choose(rng, size * near, cases)
    if village.any():
        employer = np.where(directed, choose(rng, size * village, cases), employer)

    own = _experts_who_apply(rng, ground, series, field, ~directed)
    mine = own >= 0
    sub = np.where(mine, people.main_sub[own], sub)
    employer = np.where(mine, people.employer[own], employer)
    return Applications(sub, employer, directed, own, _ties(rng, ground, field, own, today))


def _cases_by_field(ground: Ground, series: int, fields: Fields, cases: int) -> tuple[int, ...]:
    code = ground.catalogue.series_code[series]
    thin = int(1000 * _THIN_SHARE) * bool(fields.thin)
    directed = int(1000 * _DIRECTED_SHARE.get(code, 0.1)) * bool(fields.rural)
    weights = np.sqrt(ground.by_field[list(fields.common)] + 1.0)
    usual = np.maximum((1000 - thin - directed) * weights / weights.sum(), 1).astype(np.int64).tolist()
    parts = [*usual, *[thin] * len(fields.thin), *[directed] * len(fields.rural)]
    return apportion(cases, parts)


def _experts_who_apply(rng: Generator, ground: Ground, series: int, field: Ints, usual: Mask) -> Ints:
    """Per case the expert who applies, -1 for others; about three in two hundred, none twice."""
    people, catalogue = ground.people, ground.catalogue
    own = np.full(len(field), -1, dtype=np.int64)
    places = usual.nonzero()[0]
    chosen = rng.permutation(places)[: max(1, len(field) * 3 // 200)]
    may = (people.series == series) & (people.rank() == 3)
    colleagues = Cells(
        catalogue.specialty[people.main_sub], np.ones(len(people)), len(catalogue.specialty_code), may
    )
    found = colleagues.draw(rng, field[chosen])
    again = np.ones(len(found), dtype=bool)
    again[np.unique(found, return_index=True)[1]] = False
    own[chosen] = np.where(again, -1, found)
    return own


def _ties(rng: Generator, ground: Ground, field: Ints, own: Ints, today: int) -> Ties:
    """Co-authors, advisors, recommenders, relatives, joint work and objections, of experts with cases."""
    people, catalogue = ground.people, ground.catalogue
    cases, kinds = np.arange(len(field)), len(catalogue.specialty_code)
    main = catalogue.specialty[people.main_sub]
    anyone = Cells(main, ground.active, kinds)
    seniors = Cells(main, ground.active, kinds, people.full_on > 0)

    def some(likely: float, most: int = 1) -> Ints:
        chosen = cases[rng.random(len(cases)) < likely]
        return np.repeat(chosen, rng.integers(1, most + 1, len(chosen)))

    parts = []
    plan = (
        (RelationKind.CO_AUTHOR, anyone, np.repeat(cases, rng.poisson(1.3, len(cases)))),
        (RelationKind.ADVISOR, seniors, some(0.15)),
        (RelationKind.RECOMMENDER, seniors, np.repeat(some(0.15), 2)),
        (RelationKind.OBJECTION, anyone, some(0.04, 3)),
        (RelationKind.SAME_CASE, anyone, some(0.02)),
    )
    for kind, among, at in plan:
        expert = among.draw(rng, field[at])
        parts.append((kind, expert, at))
    kin = some(0.015)
    parts.append((RelationKind.RELATIVE, rng.integers(0, len(people), len(kin)), kin))
    ties = []
    for kind, expert, at in parts:
        kept = (expert >= 0) & (expert != own[at])
        made = dated(
            rng, kind, expert[kept], at[kept], today, undated=0.6 if kind is RelationKind.RELATIVE else 0.05
        )
        if kind in (RelationKind.RECOMMENDER, RelationKind.OBJECTION):
            day = today - rng.integers(5, 60, len(made))
            made = Ties(
                made.kind, made.left, made.right, day, made.until, np.zeros(len(made), dtype=bool), day + 1
            )
        ties.append(made)
    return join(ties).once()
