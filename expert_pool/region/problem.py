"""Panel problems straight from the made region, without files or a database."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from expert_pool.agendas import seats_by_cases
from expert_pool.columns import as_date
from expert_pool.region import request
from expert_pool.region.applications import RURAL, Fields, Ground
from expert_pool.region.committees import FieldChooser
from expert_pool.region.conflicts import among_experts, kinds, with_cases
from expert_pool.region.employers import SECTORS
from expert_pool.region.facts import facts_of, took_part
from expert_pool.region.names import MARK
from expert_pool.region.streams import Floats, Streams
from expert_pool.region.world import Region, make_region
from expert_pool.registry import Sector
from solver.errors import Fault
from solver.facts import Ints, Mask
from solver.model import funnel
from solver.problem import Cases, Group, Previous, Problem, Skills, Specialties

GROUPS = (3, 6)
"""How many groups there are at least and at most, unless told otherwise."""

_PASS = 0.48
"""About which part of the experts of a field passes the gates."""

_ROOM, _LEAST_ROOM = 3.5, 1.7
"""How many eligible experts there should be, and have to be, for each seat and alternate of a group."""

_ATTEMPTS = 12

_LEAST_PLACES = request.LEAST_OF_A_GROUP + 1.5
"""Seats and alternates of the smallest group."""

_TRIES = 200
_BASE32 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", dtype=np.uint8)


def problems(
    count: int,
    experts: int,
    seed: int,
    cases: int = 200,
    groups: tuple[int, int] = GROUPS,
    scarce: bool = False,
) -> Iterator[Problem]:
    """`count` problems, each from a region of its own with so many experts; the same seed gives the same problems.

    The gates leave about 65-250 experts of 1,000, 110-610 of 10,000 and 1,200-6,000 of 100,000. `groups` is how many
    groups there may be (1 to 8); `scarce` keeps to the lower end, where private employers are fewest.
    Raises Fault when a number is too small or the seed negative.
    """
    if seed < 0:
        raise Fault("region.seed_negative", "seed", seed=seed)
    most = request.PANEL // request.LEAST_OF_A_GROUP
    if not 1 <= groups[0] <= groups[1] <= most:
        raise Fault("region.groups", "groups", low=groups[0], high=groups[1], least=1, most=most)
    for number in range(count):
        yield _feasible_looking(experts, (seed, number), cases, _chooser(experts, groups, scarce))


def _feasible_looking(experts: int, seed: tuple[int, ...], cases: int, fields_for: FieldChooser) -> Problem:
    """The first of a few attempts whose groups have people enough, else the one with the most."""
    low, high = eligible_range(experts)
    best: tuple[float, Problem] | None = None
    for attempt in range(_ATTEMPTS):
        streams = Streams((*seed, attempt))
        region = make_region(streams, experts=experts, committees=1, cases=cases, fields_for=fields_for)
        problem = problem_of(region, int(streams("problem seed").integers(0, 2**31)))
        passes = funnel(problem).passes
        seats = [group.high + group.alternates for group in problem.groups]
        room = float((passes.sum(axis=0) / seats).min())
        if room >= _LEAST_ROOM and low <= passes.any(axis=1).sum() <= high:
            return problem
        if best is None or room > best[0]:
            best = (room, problem)
    assert best is not None
    return best[1]


def eligible_range(experts: int) -> tuple[float, float]:
    """How many of so many experts a request should see, at least and at most."""
    sizes = np.log([1_000, 10_000, 100_000])
    at = np.log(experts)
    low = np.exp(np.interp(at, sizes, np.log([65, 110, 1_200])))
    high = np.exp(np.interp(at, sizes, np.log([250, 610, 6_000])))
    reach = max(1.0, experts / 100_000) * min(1.0, experts / 1_000)
    return float(low * reach), float(high * reach)


def _chooser(experts: int, groups: tuple[int, int], scarce: bool) -> FieldChooser:
    low, high = eligible_range(experts)
    low, high = (low * 1.2, low * 1.9) if scarce else (low * 1.25, high * 0.8)

    def choose(rng: Generator, ground: Ground, series: int) -> Fields:
        """Of many tries the fields that come nearest to a number of eligible experts, and can fill their groups."""
        catalogue = ground.catalogue
        holders, private = _holders(ground)
        own = (catalogue.specialty_series == series).nonzero()[0]
        fresh, usual = own[catalogue.fresh[own]], own[~catalogue.fresh[own]]
        village = np.array([s for s in usual.tolist() if catalogue.specialty_code[s] in RURAL])
        target = np.exp(rng.uniform(np.log(low), np.log(high)))
        best: tuple[float, Fields] | None = None
        for _ in range(_TRIES):
            wanted = int(rng.integers(groups[0], groups[1] + 1))
            rural = (int(rng.choice(village)),) if wanted > 1 and rng.random() < 0.5 else ()
            thin = (int(rng.choice(fresh)),) if rng.random() < 0.5 else ()
            common = rng.choice(usual[~np.isin(usual, rural)], size=wanted - len(rural), replace=False)
            passing = _PASS * holders[[*common, *thin, *rural]].sum()
            cases = np.sqrt(holders[common])
            people = np.maximum((request.PANEL + request.ALTERNATES) * cases / cases.sum(), _LEAST_PLACES)
            room = float((_PASS * holders[common] / people).min())
            miss = abs(float(np.log(target / max(passing, 1.0)))) + 3.0 * max(
                0.0, np.log(_ROOM / max(room, 0.1))
            )
            if scarce:
                miss += 2.0 * float(private[common].sum() / max(holders[common].sum(), 1))
            if best is None or miss < best[0]:
                best = (miss, Fields(tuple(sorted(common.tolist())), thin, rural))
        assert best is not None
        return best[1]

    return choose


def _holders(ground: Ground) -> tuple[Floats, Floats]:
    """Per specialty the experts who hold any of it, and those of them with a private employer."""
    skills, catalogue, fields = ground.people.skills, ground.catalogue, len(ground.catalogue.specialty_code)
    held = np.unique(skills.expert * fields + catalogue.specialty[skills.sub])
    sector = ground.employers.sector[ground.people.employer[held // fields]]
    everybody = np.bincount(held % fields, minlength=fields).astype(np.float64)
    private = np.bincount(held[sector == SECTORS.index(Sector.PRIVATE)] % fields, minlength=fields)
    return everybody, private.astype(np.float64)


def problem_of(region: Region, seed: int) -> Problem:
    """The problem of the first committee of a region, as it stands on the day that committee meets."""
    committee, catalogue = region.committees[0], region.ground.catalogue
    made, skills = committee.applications, region.ground.people.skills
    groups, of_case = _groups(region)
    day = as_date(region.meeting)
    broad = tuple(catalogue.specialty_code[s] for s in catalogue.specialty.tolist())
    return Problem(
        title=f"{region.season}年度{catalogue.series_name[committee.series]}系列评审{MARK}",
        committee="C001",
        meeting=f"M001-{region.season}",
        on=day,
        procedure="compose",
        policy=request.POLICY,
        seed=seed,
        experts=_pseudonyms(region.streams("pseudonyms"), len(region.ground.people)),
        facts=facts_of(region, committee),
        specialties=Specialties(catalogue.code, catalogue.name, broad),
        skills=Skills(skills.expert, skills.sub, skills.proficiency),
        cases=Cases(tuple(f"A001-{n:04d}" for n in range(1, len(made) + 1)), made.sub, of_case),
        groups=groups,
        conflict_kinds=kinds(request.BASIS),
        between=among_experts(region),
        with_cases=with_cases(region, made),
        previous=tuple(
            Previous(
                f"C001-{s.season}",
                as_date(s.on),
                frozenset(took_part(s).tolist()),
                len(took_part(s)),
            )
            for s in committee.sittings
        ),
        rules=request.rules(),
        goals=request.goals(),
        ladder=request.ladder(),
        made=True,
    )


def _groups(region: Region) -> tuple[tuple[Group, ...], Ints]:
    """One group a specialty; a new occupation joins the smallest, the rural block stands alone."""
    committee, catalogue = region.committees[0], region.ground.catalogue
    fields, made = committee.fields, committee.applications
    field = catalogue.specialty[made.sub]
    parts: list[Mask] = [(field == f) & ~made.directed for f in fields.common]
    codes = [catalogue.specialty_code[f] for f in fields.common]
    names = [catalogue.specialty_name[f] for f in fields.common]
    if made.directed.any():
        parts.append(made.directed)
        codes.append("directed")
        names.append("乡村定向")
    smallest = int(np.argmin([part.sum() for part in parts[: len(fields.common)]]))
    parts[smallest] = parts[smallest] | (np.isin(field, fields.thin) & ~made.directed)

    sizes = seats_by_cases(request.PANEL, [int(part.sum()) for part in parts], request.LEAST_OF_A_GROUP)
    alternates = seats_by_cases(request.ALTERNATES, sizes, 1)
    of_case = np.zeros(len(made), dtype=np.int64)
    groups = []
    for g, (part, size) in enumerate(zip(parts, sizes, strict=True)):
        of_case[part] = g
        groups.append(
            Group(
                id=f"g{g + 1}-{codes[g]}",
                name=names[g],
                low=max(request.LEAST_OF_A_GROUP, size - 1),
                high=size + 1,
                specialties=tuple(np.unique(made.sub[part]).tolist()),
                alternates=alternates[g],
            )
        )
    return tuple(groups), of_case


def _pseudonyms(rng: Generator, count: int) -> tuple[str, ...]:
    """Distinct ids like those of a registry, in rising order."""
    drawn = np.unique(rng.integers(0, 2**50, count + 8 + count // 1000))
    kept = drawn[np.sort(rng.permutation(len(drawn))[:count])]
    digits = (kept[:, None] >> np.arange(45, -1, -5)) & 31
    text = np.concatenate([np.full((count, 1), ord("P"), dtype=np.uint8), _BASE32[digits]], axis=1)
    return tuple(sorted(name.decode() for name in np.ascontiguousarray(text).view("S11").ravel().tolist()))
