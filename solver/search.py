"""The search: goal levels settled one after the other, each proven over the columns that its prices keep."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solver.answer import GoalResult, Status, Stopped
from solver.blocks import Linear
from solver.claims import level_costs
from solver.cover import Cover, narrowed, present
from solver.engines.job import UNKNOWN, EngineName, Solved
from solver.engines.processes import warm
from solver.engines.race import Cancelled, Effort, engines_for, minimise
from solver.engines.relaxation import Relaxation
from solver.facts import Ints, Mask
from solver.known import Known
from solver.model import Funnel, Level, Model, build, funnel, layout
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.reduce import restrict
from solver.seats import PRESENT

LOOK = 12
"""How many columns of each span (a place in a group) the first look at a level keeps; each wider look keeps four times
as many."""
MANY = 1500
"""More seats than this are not handed to an engine for a proof before branching was tried."""
BRANCHING = 0.25
"""The part of the time left that branching may take at each level."""


@dataclass(frozen=True)
class Stage:
    """How a level was settled: the cover whose prices reduced it, the value found and the most that was then allowed,
    and the engine that solved what was left (None where the prices alone proved it)."""

    level: Level
    cover: Cover | None
    value: int
    allowed: int
    engine: EngineName | None


@dataclass(frozen=True)
class Outcome:
    """What a search ended with. `panel` is None without a solution; `goals` holds one result a level (one in all when
    the problem is weighted); `stopped_by` says which limit ended it before its proof. `unique`: whether no other panel is
    as good at every level; None where that was not settled."""

    problem: Problem
    narrowed: Funnel
    model: Model
    status: Status
    stopped_by: Stopped | None
    goals: tuple[GoalResult, ...]
    panel: Panel | None
    values: Ints | None
    """The panel over all columns of the model."""
    unique: bool | None
    stages: tuple[Stage, ...]
    phases: Mapping[str, float]


@dataclass(frozen=True)
class Settling:
    """What the levels of a model came to, as in an `Outcome`."""

    status: Status
    stopped_by: Stopped | None
    goals: tuple[GoalResult, ...]
    values: Ints | None
    stages: tuple[Stage, ...]


def search(
    problem: Problem,
    *,
    start: Panel | None = None,
    distinct: bool = False,
    known: Known | None = None,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Outcome:
    """The best panel of a problem, engines only: no document, no reasons, not yet checked. `start` is a panel to begin
    from; what of it the problem no longer allows is ignored. `distinct`: show too whether another panel is as good.
    `known`: what was made and shown for a problem much like this one."""
    marks = [time.monotonic()]
    warm(engines_for(problem.limits.workers))
    report(Progress("gates", total=len(problem.experts)))
    passed = funnel(problem) if known is None else known.funnel(problem)
    marks.append(time.monotonic())
    report(Progress("model"))
    model = build(problem, layout(problem, passed.passes)) if known is None else known.model(problem, passed)
    marks.append(time.monotonic())
    levels = (summed(model.levels),) if problem.weighted and model.levels else model.levels
    running = _Search(problem, model, distinct, known, report, cancelled)
    if start is not None:
        running.begin(start)
    running.run(levels)
    marks.append(time.monotonic())
    names = ("gates", "model", "solve")
    return Outcome(
        problem,
        passed,
        model,
        running.status,
        running.stopped_by,
        tuple(running.results),
        None if running.values is None else model.seats.decode(running.values),
        running.values,
        running.unique,
        tuple(running.stages),
        {name: round(b - a, 3) for name, a, b in zip(names, marks, marks[1:], strict=False)},
    )


def settled(
    problem: Problem,
    model: Model,
    levels: tuple[Level, ...],
    *,
    values: Ints | None = None,
    known: Known | None = None,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Settling:
    """The levels of a model that is made already, settled one after the other. `values` is a point of the model to begin
    from."""
    running = _Search(problem, model, False, known, report, cancelled)
    running.values = values
    running.run(levels)
    return Settling(
        running.status, running.stopped_by, tuple(running.results), running.values, tuple(running.stages)
    )


def summed(levels: tuple[Level, ...]) -> Level:
    """One level that adds up all costs: what a weighted problem makes small."""
    cost = Linear.of([])
    for level in levels:
        cost += level.cost
    return Level(0, tuple(part for level in levels for part in level.parts), cost.merged())


class _Search:
    """Settles the levels one after the other, each kept as a row while the next is looked at. Columns that cannot be
    part of a panel so good at the levels before are closed on the way."""

    def __init__(
        self,
        problem: Problem,
        model: Model,
        distinct: bool,
        known: Known | None,
        report: Reporter,
        cancelled: Cancelled,
    ) -> None:
        self.problem, self.model, self.distinct, self.known = problem, model, distinct, known
        self.report, self.cancelled = report, cancelled
        self.ends = time.monotonic() + problem.limits.seconds
        self.relaxation = Relaxation(model)
        self.values: Ints | None = None
        self.hint: Ints | None = None
        self.guide: Ints | None = None
        self.results: list[GoalResult] = []
        self.stages: list[Stage] = []
        self.status: Status = "unknown"
        self.stopped_by: Stopped | None = None
        self.unique: bool | None = None

    def begin(self, panel: Panel) -> None:
        """Takes a panel as a hint: its seats that are still there; auxiliaries are left open."""
        seats = self.model.seats
        self.hint = np.full(self.model.width, UNKNOWN, dtype=np.int64)
        self.hint[: seats.width] = seats.encode(panel, lenient=True)

    def run(self, levels: tuple[Level, ...]) -> None:
        if not levels:
            self._take(self._solve(self.model, None))
            return
        if len(levels) > 1:
            self._guess(summed(levels))
        for level in levels:
            solved = self._settle(level, self.distinct and level is levels[-1])
            going_on = self._take(solved)
            if solved.values is not None:
                self._name(level, solved)
            if not going_on:
                break
            self._close(level)
        if self.values is not None:
            for level in levels[len(self.results) :]:
                self._name(level, self._unsettled(level))

    def _guess(self, level: Level) -> None:
        """A first panel that is good at all levels together: most levels then only need their proof."""
        self.report(Progress("prices"))
        cover = Cover(self.model, level.cost, self.relaxation)
        if cover.impossible:
            return
        self.guide = cover.reduced
        model = restrict(self.model, self._look(cover, LOOK))
        solved = self._solve(model, level, seconds=0.2 * self.problem.limits.seconds)
        if solved.values is not None:
            self.values = solved.values

    def _settle(self, level: Level, last: bool) -> Solved:
        """Solves one level. `last`: whether it is also to be shown that no other panel is as good."""
        cost = level.cost
        if self.values is not None and not last and cost.at(self.values) == self.model.least(cost):
            return self._proven(level, None)
        if self.cancelled():
            return self._given_up(level, "cancelled")
        self.report(Progress("prices", goal=level.id))
        suggested = () if self.known is None else self.known.suggested(self.model, level)
        cover = Cover(self.model, cost, self.relaxation, suggested)
        if cover.impossible:
            return Solved("infeasible", None, None, None, None)
        value = None if self.values is None else self._cost(level)
        self.report(Progress("solve", goal=level.id, incumbent=value, bound=cover.floor))
        if value == cover.floor and not last:
            return self._proven(level, cover)
        if value != cover.floor:
            found = self._first(level, cover)
            if found is not None:
                return found
        return self._prove(level, cover, last)

    def _first(self, level: Level, cover: Cover) -> Solved | None:
        """Looks at few columns, then at more, until there is a panel to measure others by; an end without one."""
        few = LOOK
        while True:
            kept = self._look(cover, few)
            every = bool(kept.all())
            solved = self._solve(restrict(self.model, kept), level, floor=cover.floor)
            if solved.status == "infeasible" and every:
                return solved
            if solved.values is not None:
                self.values = solved.values
            if self.values is None and solved.stopped_by is not None:
                return solved
            if solved.stopped_by not in (None, "gap"):
                return self._given_up(level, solved.stopped_by, cover)
            if self.values is not None:
                value = self._cost(level)
                left = present(self.model, cover.kept(value - cover.step))
                if every or few > LOOK or left <= max(MANY, present(self.model, kept)):
                    return None
            few *= 4

    def _look(self, cover: Cover, few: int) -> Mask:
        """The seats of least reduced cost in every span, ties by what they cost at all levels together; every auxiliary
        and every role, which are nothing without the seats."""
        model = self.model
        kept: Mask = model.column_upper == 0
        kept[model.seats.width :] = True
        guide = cover.reduced if self.guide is None else self.guide
        for (place, _), (start, stop) in model.seats.spans.items():
            own = start + np.flatnonzero(model.column_upper[start:stop])
            if place in PRESENT and len(own) > few:
                own = own[np.lexsort((guide[own], cover.reduced[own]))[:few]]
            kept[own] = True
        for known in (self.values, self.hint):
            if known is not None:
                kept |= known > 0
        return kept

    def _prove(self, level: Level, cover: Cover, last: bool) -> Solved:
        """Solves over every column that a better panel could use. At the last level the panel itself is forbidden and
        its equals are looked for too, so that one proof shows it to be the best and the only one."""
        until = time.monotonic() + BRANCHING * max(0.0, self.ends - time.monotonic())
        while True:
            value = self._cost(level)
            within = value if last else value - cover.step
            kept = narrowed(cover, within, MANY, lambda: time.monotonic() < until and not self.cancelled())
            if cover.floor > within:
                self.unique = last or None
                return self._proven(level, cover)
            self.report(Progress("solve", goal=level.id, incumbent=value, bound=cover.floor))
            assert self.values is not None
            model = self.model.unlike(self.values) if last else self.model
            enough = value + 1 if last else None
            solved = self._solve(
                restrict(model, kept | (self.values != 0)),
                level,
                floor=cover.floor,
                enough=enough,
                elsewhere=value,
            )
            better = solved.value is not None and solved.value < value
            if better:
                self.values = solved.values
            shown = solved.status in ("optimal", "infeasible") or solved.stopped_by is None
            if not shown:
                return self._given_up(level, solved.stopped_by, cover, solved.bound)
            if last and not better:
                self.unique = solved.value is None or solved.value > value
            if not last or not better:
                return self._proven(level, cover, solved.engine)

    def _solve(
        self,
        model: Model,
        level: Level | None,
        *,
        floor: int | None = None,
        enough: int | None = None,
        elsewhere: int | None = None,
        seconds: float = np.inf,
    ) -> Solved:
        """An engine run on some columns. `floor` is what every panel costs at least, `elsewhere` what those cost that use
        other columns or are forbidden here; without it the engine's bound says nothing of all panels."""

        def watch(incumbent: int | None, bound: int | None) -> None:
            goal = None if level is None else level.id
            shown = floor
            if floor is not None and bound is not None and elsewhere is not None:
                shown = max(floor, min(bound, elsewhere))
            best = min((v for v in (incumbent, elsewhere) if v is not None), default=None)
            self.report(Progress("solve", goal=goal, incumbent=best, bound=shown))

        limits = self.problem.limits
        left = min(seconds, self.ends - time.monotonic())
        effort = Effort(left, limits.gap, limits.workers, limits.memory_mb, self.problem.seed)
        hint = self.hint if self.values is None else self.values
        cost = None if level is None else level.cost
        return minimise(model, cost, effort, hint=hint, enough=enough, cancelled=self.cancelled, watch=watch)

    def _cost(self, level: Level) -> int:
        assert self.values is not None
        return level.cost.at(self.values)

    def _proven(self, level: Level, cover: Cover | None, engine: EngineName | None = None) -> Solved:
        value = self._cost(level)
        self.stages.append(Stage(level, cover, value, value + level.tolerance, engine))
        return Solved("optimal", self.values, value, value, None, engine)

    def _given_up(
        self, level: Level, why: Stopped | None, cover: Cover | None = None, bound: int | None = None
    ) -> Solved:
        """The best so far, with the best bound there is: an engine's bound counts for the columns it was given, and no
        other column can be part of a better panel."""
        if self.values is None:
            return Solved("unknown", None, None, None, why)
        value = self._cost(level)
        if any(level is own for own in self.model.levels):
            # Nothing has pressed the slacks of an unsettled level down: what the panel costs is counted from the panel.
            value = min(value, level_costs(self.model.seats.decode(self.values))[level.level])
        known = [self.model.least(level.cost)]
        known += [] if cover is None else [cover.floor]
        known += [] if bound is None else [bound]
        return Solved("feasible", self.values, value, min(value, max(known)), why or "time")

    def _unsettled(self, level: Level) -> Solved:
        """A level never looked at still says what the panel costs there, against the least it ever can."""
        return self._given_up(level, None)

    def _close(self, level: Level) -> None:
        """Keeps the level: its row, and without the columns that would break it."""
        stage = self.stages[-1] if self.stages and self.stages[-1].level is level else None
        allowed = self._cost(level) + level.tolerance
        if stage is not None and stage.cover is not None:
            kept = stage.cover.kept(allowed)
            self.model = self.model.within(
                self.model.column_lower, np.where(kept, self.model.column_upper, 0)
            )
        self.model = self.model.keeping(level, allowed)

    def _name(self, level: Level, solved: Solved) -> None:
        assert solved.value is not None
        assert solved.bound is not None
        proven = solved.value == solved.bound
        self.results.append(
            GoalResult(id=level.id, level=level.level, value=solved.value, bound=solved.bound, proven=proven)
        )

    def _take(self, solved: Solved) -> bool:
        """Keeps what was found; True when the next level may be looked at."""
        if solved.values is not None:
            self.values = solved.values
        if solved.status == "infeasible":
            self.status = "infeasible"
            return False
        self.stopped_by = self.stopped_by or solved.stopped_by
        if self.values is None:
            self.status = "unknown"
            return False
        self.status = "feasible" if self.stopped_by else "optimal"
        return solved.values is not None and solved.stopped_by in (None, "gap")
