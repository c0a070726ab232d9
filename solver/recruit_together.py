"""One model for several problems and the recruits they share.

The blocks of each problem over its own people and some imagined experts of each profile lie side by side. One integer column
for each profile says how many are taken in, and on each day no more of them are present than that. Recruits of one profile
are alike, so nothing else is asked of who they are: on every day they can be handed out to the panels anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solver.blocks import FREE, Linear
from solver.diagnosis.possible import WORKERS
from solver.engines.race import Cancelled, Effort, minimise
from solver.facts import Ints
from solver.kinds import Kind, with_people
from solver.model import Model, build, funnel, layout
from solver.problem import Problem
from solver.profiles import Profile
from solver.seats import PRESENT, Seats

Used = Mapping[int, int]
"""By profile, how many are present."""


@dataclass(frozen=True)
class Together:
    """`taken`: by profile how many are taken in besides those who were there; `used`: of each problem, who is present;
    `bound`: no fewer (or, where something else is priced, no cheaper) will do."""

    taken: Used
    used: tuple[Used, ...]
    bound: int

    @property
    def count(self) -> int:
        return sum(self.taken.values())


def places(problem: Problem) -> int:
    """How many people its panel has at most, alternates included."""
    return sum(group.high + group.alternates for group in problem.groups)


def together(
    problems: Sequence[Problem],
    profiles: Sequence[Profile],
    kinds: Sequence[Sequence[Kind | None]],
    *,
    most: int,
    there: Sequence[Used] = (),
    at_most: int | None = None,
    seconds: float,
    cancelled: Cancelled = lambda: False,
) -> Together | None:
    """The fewest recruits, none of more than `most` a profile, with whom each problem has a panel; None where the time was
    up before any were found. `kinds[i][j]`: what profile j is to problem i. `there`: of each problem, recruits who can
    come anyhow. With `at_most`, of no more than so many recruits those of whom least is asked."""
    joined = _Joined(problems, profiles, kinds, most, there or [{}] * len(problems), at_most)
    effort = Effort(seconds=seconds, workers=WORKERS)
    solved = minimise(joined.model, joined.cost, effort, cancelled=cancelled)
    if solved.values is None or not joined.lawful(solved.values):
        return None
    return joined.found(solved.values, max(0, solved.bound or 0))


class _Joined:
    """The models of all problems side by side, then one column for each profile: how many are taken in."""

    def __init__(
        self,
        problems: Sequence[Problem],
        profiles: Sequence[Profile],
        kinds: Sequence[Sequence[Kind | None]],
        most: int,
        there: Sequence[Used],
        at_most: int | None,
    ) -> None:
        self.present: list[tuple[Ints, Ints]] = []
        """Of each problem the columns in which imagined experts are present, and their profiles."""
        self.seats: list[tuple[int, Seats]] = []
        """Of each problem its first column, and the layout from there on."""
        self.there = there
        models, shifts, width = [], [], 0
        for problem, own, already in zip(problems, kinds, there, strict=True):
            limit = places(problem)
            people = [
                (j, kind)
                for j, kind in enumerate(own)
                if kind is not None
                for _ in range(min(limit, most + already.get(j, 0)))
            ]
            model = _model(problem, [kind for _, kind in people])
            of_profile = np.array([j for j, _ in people], dtype=np.int64)
            columns, expert = _imagined(model.seats, len(problem.experts))
            self.present.append((columns + width, of_profile[expert]))
            self.seats.append((width, model.seats))
            models.append(model)
            shifts.append(width)
            width += model.width
        self.first = width
        rows = _on_each_day([p.day for p in problems], self.present, there, width)
        taken = np.arange(len(profiles)) + width
        prices = [1 if at_most is None else 1000 + profile.asked for profile in profiles]
        self.cost = Linear(taken, np.array(prices, dtype=np.int64)).merged()
        if at_most is not None:
            rows.append((Linear.total(taken), at_most))
        self.model = _side_by_side(models, shifts, rows, [most] * len(profiles))

    def lawful(self, values: Ints) -> bool:
        """Whether the checker, too, finds nothing against the panels."""
        panels = [seats.decode(values[first:]) for first, seats in self.seats]
        return not any(
            finding for p in panels for r in p.problem.rules if r.soft is None for finding in r.findings(p)
        )

    def found(self, values: Ints, bound: int) -> Together:
        taken = {j: int(n) for j, n in enumerate(values[self.first :].tolist()) if n}
        used = []
        for columns, profile in self.present:
            numbers = np.bincount(profile[values[columns] > 0]) if len(columns) else np.zeros(0, int)
            used.append({j: int(n) for j, n in enumerate(numbers.tolist()) if n})
        return Together(taken, tuple(used), bound)


def _on_each_day(
    days: Sequence[int], present: Sequence[tuple[Ints, Ints]], there: Sequence[Used], first: int
) -> list[tuple[Linear, int]]:
    """On no day are more of a profile present than were taken in and were there already. (Who is there already is told
    problem by problem: `there` is of use where each is asked alone.)"""
    rows = []
    for day in sorted(set(days)):
        own = [i for i, other in enumerate(days) if other == day]
        columns = np.concatenate([present[i][0] for i in own])
        profile = np.concatenate([present[i][1] for i in own])
        order = np.argsort(profile, kind="stable")
        numbers, starts = np.unique(profile[order], return_index=True)
        for j, part in zip(numbers.tolist(), np.split(columns[order], starts[1:]), strict=True):
            vals = np.append(np.ones(len(part), dtype=np.int64), -1)
            already = max(there[i].get(j, 0) for i in own)
            rows.append((Linear(np.append(part, first + j), vals), already))
    return rows


def handed_out(found: Together, days: Sequence[int]) -> Counter[tuple[int, tuple[int, ...]]]:
    """How many recruits there are of each profile and problems (indices) that seat them: on each day the first of a
    profile are seated first."""
    serves: dict[int, list[list[int]]] = {j: [[] for _ in range(n)] for j, n in found.taken.items()}
    for day in sorted(set(days)):
        for j, people in serves.items():
            turn = iter(people)
            for i, used in enumerate(found.used):
                if days[i] == day:
                    for _ in range(used.get(j, 0)):
                        next(turn).append(i)
    return Counter((j, tuple(one)) for j, people in serves.items() for one in people)


def _model(problem: Problem, kinds: Sequence[Kind]) -> Model:
    larger = replace(with_people(problem, kinds), goals=())
    return build(larger, layout(larger, funnel(larger).passes))


def _imagined(seats: Seats, real: int) -> tuple[Ints, Ints]:
    """The columns in which imagined experts are present, and which of them (from 0)."""
    columns = np.concatenate([seats.columns(place) for place in PRESENT])
    own = columns[seats.expert[columns] >= real]
    return own, seats.expert[own] - real


def _side_by_side(
    models: Sequence[Model],
    shifts: Sequence[int],
    rows: Sequence[tuple[Linear, int]],
    most: Sequence[int],
) -> Model:
    """One model of several, integer columns from 0 to `most` behind them, and rows (expression, upper bound) over all."""
    starts, before = [np.zeros(1, dtype=np.int64)], 0
    for model in models:
        starts.append(model.start[1:] + before)
        before += len(model.cols)
    more = np.array(most, dtype=np.int64)
    sizes = np.array([len(expression.cols) for expression, _ in rows], dtype=np.int64)
    start = np.concatenate(starts)
    return replace(
        models[0],
        column_lower=np.concatenate([*(m.column_lower for m in models), np.zeros_like(more)]),
        column_upper=np.concatenate([*(m.column_upper for m in models), more]),
        start=np.concatenate([start, start[-1] + np.cumsum(sizes)]),
        cols=np.concatenate(
            [
                *(m.cols + shift for m, shift in zip(models, shifts, strict=True)),
                *(expression.cols for expression, _ in rows),
            ]
        ),
        vals=np.concatenate([*(m.vals for m in models), *(expression.vals for expression, _ in rows)]),
        lower=np.concatenate([*(m.lower for m in models), np.full(len(rows), -FREE, dtype=np.int64)]),
        upper=np.concatenate(
            [*(m.upper for m in models), np.array([upper for _, upper in rows], dtype=np.int64)]
        ),
        rule_of=(*(rule for m in models for rule in m.rule_of), *("recruits" for _ in rows)),
        levels=(),
    )
