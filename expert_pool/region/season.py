"""The problems of a whole season of the made region: one for each committee, on its own day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from numpy.random import Generator

from expert_pool.region.applications import Fields, Ground, pick_fields
from expert_pool.region.problem import problem_of
from expert_pool.region.streams import Streams
from expert_pool.region.world import make_region
from solver.diagnosis.alike import only
from solver.errors import Fault
from solver.facts import MISSING
from solver.problem import Problem

CASES = 200
BREADTH = (1, 2)
"""How many common specialties a committee reviews, beside a new occupation and a rural block: many committees are narrow."""


def season_problems(experts: int, committees: int, seed: int, cases: int = CASES) -> Iterator[Problem]:
    """A problem for each committee of a made region, each over those with a title in its series; the same seed gives the
    same problems. Raises Fault when a number is too small or the seed negative."""
    if seed < 0:
        raise Fault("region.seed_negative", "seed", seed=seed)
    region = make_region(
        Streams((seed, 0)), experts=experts, committees=committees, cases=cases, fields_for=_narrow
    )
    for number, committee in enumerate(region.committees, start=1):
        code = f"C{number:03d}"
        seen = replace(region, committees=(committee,), meeting=committee.meeting)
        drawn = int(region.streams("problem seed", number).integers(0, 2**31))
        problem = replace(problem_of(seen, drawn), committee=code, meeting=f"M{number:03d}-{region.season}")
        yield only(problem, problem.facts["rank"].values != MISSING)


def _narrow(rng: Generator, ground: Ground, series: int) -> Fields:
    return pick_fields(rng, ground, series, BREADTH)
