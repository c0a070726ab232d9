"""The smallest recruitment for a season: the fewest new experts with whom every one of several problems has a panel.

Problems that need nobody new are out. For the others one model is made: the blocks of each over its own people and the same
imagined experts, and one column for each of these that says whether they are taken in. Somebody taken in may sit on one panel
a day, on as many days as are asked. Members who are there already are looked at problem by problem, as `recruit` does: who of
them sits where in a season is for the season's own search.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from solver.blocks import FREE, Linear
from solver.diagnosis.possible import WORKERS
from solver.engines.processes import warm
from solver.engines.race import Cancelled, Effort, engines_for, minimise
from solver.facts import Ints
from solver.kinds import Kind, with_people
from solver.model import Model, build, funnel, layout
from solver.problem import Problem
from solver.profiles import Profile, profiles_of, with_all_specialties
from solver.progress import Progress, Reporter, silent
from solver.recruit import MOST_PEOPLE, Recruitment, recruit, smaller
from solver.seats import PRESENT, Seats

ALONE = 0.5
"""The part of the time for the problems one by one; the rest is for all together."""
FIRST = 0.7
"""Of that rest, the part for how many; what is left is for what is asked of them."""


@dataclass(frozen=True)
class Recruited:
    """So many recruits of a profile, and the problems (indices) in whose panels the model seated them."""

    count: int
    profile: Profile
    problems: tuple[int, ...]


@dataclass(frozen=True)
class SeasonRecruitment:
    """`alone`: what each problem needs by itself. `count` recruits serve all problems that any number can help; no fewer
    than `bound` will do. `status` as in `Recruitment`: `no_number_helps` where that is so of some problem, and the plan is
    for the others; `undecided` where a limit came first."""

    status: Literal["none_needed", "found", "no_number_helps", "undecided"]
    alone: tuple[Recruitment, ...]
    count: int | None = None
    bound: int = 0
    recruits: tuple[Recruited, ...] = ()

    @property
    def proven(self) -> bool:
        return self.status != "undecided" and self.count is not None and self.count == self.bound


def recruit_season(
    problems: Sequence[Problem],
    *,
    seconds: float = 60.0,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> SeasonRecruitment:
    """The fewest recruits with whom a panel keeps every hard rule of each problem, and who they are."""
    begun = time.monotonic()
    alone = []
    for number, problem in enumerate(problems):
        report(Progress("recruit", number, len(problems)))
        left = begun + ALONE * seconds - time.monotonic()
        share = max(left / (len(problems) - number), 0.0)
        alone.append(recruit(problem, seconds=share, cancelled=cancelled))
    needy = [i for i, own in enumerate(alone) if own.status == "found"]
    open_ = any(own.status == "undecided" for own in alone)
    hopeless = any(own.status == "no_number_helps" for own in alone)
    least = max((own.bound for own in alone), default=0)
    if not needy:
        if open_:
            return SeasonRecruitment("undecided", tuple(alone), bound=least)
        return SeasonRecruitment("no_number_helps" if hopeless else "none_needed", tuple(alone), 0, 0)
    ends = begun + seconds
    found = _together(problems, alone, needy, ends, report, cancelled)
    if found is None or open_:
        count, recruits = (None, ()) if found is None else (found[0], found[2])
        bound = max(least, 0 if found is None else found[1])
        return SeasonRecruitment("undecided", tuple(alone), count, bound, recruits)
    count, bound, recruits = found
    status: Literal["found", "no_number_helps"] = "no_number_helps" if hopeless else "found"
    return SeasonRecruitment(status, tuple(alone), count, max(bound, least), recruits)


_Found = tuple[int, int, tuple[Recruited, ...]]


def _together(
    problems: Sequence[Problem],
    alone: Sequence[Recruitment],
    needy: Sequence[int],
    ends: float,
    report: Reporter,
    cancelled: Cancelled,
) -> _Found | None:
    """Count, bound and recruits for the needy problems; None where the time was up before any plan was found."""
    asked = with_all_specialties([smaller(problems[i]) for i in needy])
    most = sum(alone[i].count or 0 for i in needy)
    least = max(alone[i].bound for i in needy)
    profiles, complete = profiles_of(asked, best_only=True)
    warm(engines_for(WORKERS))
    report(Progress("recruit", goal="season"))
    room = FIRST * (ends - time.monotonic())
    solved = _solve(asked, needy, profiles, _copies(asked, profiles, most), None, room, cancelled)
    if solved is None:
        return None
    bound = max(solved[1], least) if complete else least
    count, recruits = solved[0], solved[2]
    every, _ = profiles_of(asked, best_only=False)
    if len(every) * count <= MOST_PEOPLE:
        room = ends - time.monotonic()
        modest = _solve(asked, needy, every, [count] * len(every), count, room, cancelled)
        recruits = recruits if modest is None else modest[2]
    return count, bound, recruits


def _copies(problems: Sequence[Problem], profiles: Sequence[Profile], most: int) -> list[int]:
    """How many of each profile could be of use at most: on the busiest day no more than there are places for them."""
    places = [sum(group.high + group.alternates for group in problem.groups) for problem in problems]
    days = [problem.day for problem in problems]
    found = []
    for profile in profiles:
        on: Counter[int] = Counter()
        for day, number, kind in zip(days, places, profile.kinds, strict=True):
            on[day] += number if kind is not None else 0
        found.append(min(most, max(on.values())))
    return found


def _solve(
    problems: Sequence[Problem],
    numbers: Sequence[int],
    profiles: Sequence[Profile],
    copies: Sequence[int],
    at_most: int | None,
    seconds: float,
    cancelled: Cancelled,
) -> _Found | None:
    """The fewest recruits; with `at_most`, of so many those of whom least is asked (the first figure is then no count)."""
    joined = _Joined(problems, profiles, copies, at_most)
    solved = minimise(
        joined.model, joined.cost, Effort(seconds=seconds, workers=WORKERS), cancelled=cancelled
    )
    if solved.values is None or not joined.lawful(solved.values):
        return None
    taken = solved.values[joined.first :]
    count, bound = int(taken.sum()), max(0, solved.bound or 0)
    return count, bound, joined.recruits(solved.values, numbers)


class _Joined:
    """The models of all problems side by side, then one 0/1 column for each imagined expert: taken in or not."""

    def __init__(
        self,
        problems: Sequence[Problem],
        profiles: Sequence[Profile],
        copies: Sequence[int],
        at_most: int | None,
    ) -> None:
        self.people = [j for j, number in enumerate(copies) for _ in range(number)]
        self.profiles = profiles
        self.present: list[tuple[int, Ints, Ints]] = []
        """Of each problem: its day, the columns in which imagined experts are present, and who they are."""
        self.seats: list[tuple[int, Seats]] = []
        """Of each problem: its first column, and the layout from there on."""
        models, shifts, width = [], [], 0
        for i, problem in enumerate(problems):
            own = [(n, kind) for n, j in enumerate(self.people) if (kind := profiles[j].kinds[i]) is not None]
            model = _model(problem, [kind for _, kind in own])
            who = np.array([n for n, _ in own], dtype=np.int64)
            columns, expert = _imagined(model.seats, len(problem.experts))
            self.present.append((problem.day, columns + width, who[expert]))
            self.seats.append((width, model.seats))
            models.append(model)
            shifts.append(width)
            width += model.width
        self.first = width
        prices = [1 if at_most is None else profiles[j].asked for j in self.people]
        self.cost = Linear(width + np.arange(len(self.people)), np.array(prices, dtype=np.int64)).merged()
        self.model = _side_by_side(models, shifts, [*self._linking(), *self._in_turn()], len(self.people))
        if at_most is not None:
            taken = Linear.total(width + np.arange(len(self.people)))
            self.model = _with_rows(self.model, [(taken, at_most)])

    def _linking(self) -> list[tuple[Linear, int]]:
        """On each day nobody is present twice, and only who was taken in."""
        rows = []
        for day in sorted({day for day, _, _ in self.present}):
            columns = np.concatenate([c for d, c, _ in self.present if d == day])
            who = np.concatenate([w for d, _, w in self.present if d == day])
            order = np.argsort(who, kind="stable")
            owners, starts = np.unique(who[order], return_index=True)
            for n, own in zip(owners.tolist(), np.split(columns[order], starts[1:]), strict=True):
                vals = np.append(np.ones(len(own), dtype=np.int64), -1)
                rows.append((Linear(np.append(own, self.first + n), vals), 0))
        return rows

    def _in_turn(self) -> list[tuple[Linear, int]]:
        """Of several alike the first is taken in first."""
        return [
            (Linear(self.first + np.array([n, n + 1]), np.array([-1, 1])), 0)
            for n in range(len(self.people) - 1)
            if self.people[n] == self.people[n + 1]
        ]

    def lawful(self, values: Ints) -> bool:
        """Whether the checker, too, finds nothing against the panels."""
        panels = [seats.decode(values[first:]) for first, seats in self.seats]
        return not any(
            finding for p in panels for r in p.problem.rules if r.soft is None for finding in r.findings(p)
        )

    def recruits(self, values: Ints, numbers: Sequence[int]) -> tuple[Recruited, ...]:
        """Who is taken in, by profile and the problems that seat them."""
        tally: Counter[tuple[int, tuple[int, ...]]] = Counter()
        for n in np.flatnonzero(values[self.first :]).tolist():
            serves = tuple(
                numbers[i]
                for i, (_, columns, who) in enumerate(self.present)
                if bool(values[columns[who == n]].any())
            )
            tally[self.people[n], serves] += 1
        order = sorted(
            tally.items(), key=lambda item: (-item[1], self.profiles[item[0][0]].code, repr(item[0]))
        )
        return tuple(Recruited(count, self.profiles[j], serves) for (j, serves), count in order)


def _model(problem: Problem, kinds: Sequence[Kind]) -> Model:
    larger = replace(with_people(problem, kinds), goals=())
    return build(larger, layout(larger, funnel(larger).passes))


def _imagined(seats: Seats, real: int) -> tuple[Ints, Ints]:
    """The columns in which imagined experts are present, and which of them (from 0)."""
    columns = np.concatenate([seats.columns(place) for place in PRESENT])
    own = columns[seats.expert[columns] >= real]
    return own, seats.expert[own] - real


def _side_by_side(
    models: Sequence[Model], shifts: Sequence[int], rows: Sequence[tuple[Linear, int]], more: int
) -> Model:
    """One model of several, `more` 0/1 columns behind them, and rows (expression, upper bound) over all."""
    starts, before = [np.zeros(1, dtype=np.int64)], 0
    for model in models:
        starts.append(model.start[1:] + before)
        before += len(model.cols)
    joined = replace(
        models[0],
        column_lower=np.concatenate([*(m.column_lower for m in models), np.zeros(more, dtype=np.int64)]),
        column_upper=np.concatenate([*(m.column_upper for m in models), np.ones(more, dtype=np.int64)]),
        start=np.concatenate(starts),
        cols=np.concatenate([m.cols + shift for m, shift in zip(models, shifts, strict=True)]),
        vals=np.concatenate([m.vals for m in models]),
        lower=np.concatenate([m.lower for m in models]),
        upper=np.concatenate([m.upper for m in models]),
        rule_of=tuple(rule for m in models for rule in m.rule_of),
        levels=(),
    )
    return _with_rows(joined, rows)


def _with_rows(model: Model, rows: Sequence[tuple[Linear, int]]) -> Model:
    """The model with more rows: expression <= upper bound."""
    sizes = np.array([len(expression.cols) for expression, _ in rows], dtype=np.int64)
    return replace(
        model,
        start=np.concatenate([model.start, model.start[-1] + np.cumsum(sizes)]),
        cols=np.concatenate([model.cols, *(expression.cols for expression, _ in rows)]),
        vals=np.concatenate([model.vals, *(expression.vals for expression, _ in rows)]),
        lower=np.concatenate([model.lower, np.full(len(rows), -FREE, dtype=np.int64)]),
        upper=np.concatenate([model.upper, np.array([upper for _, upper in rows], dtype=np.int64)]),
        rule_of=(*model.rule_of, *("recruits" for _ in rows)),
    )
