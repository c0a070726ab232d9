"""The exact frontier of two or three goals: every way to trade one for another, and no panel that another one beats.

Epsilon-constraint: one goal is made small while the others may cost at most so much; which then is as small as it can be
among equals, so that every point found is efficient (no panel is better in one goal and as good in the others). The next
bound is one unit below, since costs are whole numbers, so nothing can hide between two points. Three goals: the frontier of
the first two under a bound on the third, which is then put below the largest third cost found (Özlen and Azizoğlu, 2009).
Goal levels before those that are traded stay at their optimum; later ones do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from solver.answer import GoalResult, Stopped
from solver.assemble import BrokenPanel
from solver.blocks import Linear
from solver.engines.race import Cancelled
from solver.errors import Fault
from solver.facts import Ints
from solver.goals.base import Goal
from solver.model import Level, Model, build, funnel, layout
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.search import Settling, settled
from solver.sweeping.changes import known
from solver.sweeping.settled import lawful

Bounds = tuple[int | None, ...]


@dataclass(frozen=True)
class FrontierPoint:
    """One efficient panel: what it costs in each goal. `bound`: no panel within the costs of the other goals costs less
    than this in the first goal; the point is `proven` where they meet and nothing was left open."""

    costs: tuple[int, ...]
    bound: int
    proven: bool
    panel: Panel


@dataclass(frozen=True)
class Frontier:
    """Points by rising cost in the first goal. `complete`: nothing is missing; else `stopped_by` says what ended the work.
    `knee`: the point farthest below the chord (the plane, for three goals) between the ends, each goal measured by its
    own span; a suggestion, None with fewer than three points. `status` is `infeasible` where there is no panel at all."""

    goals: tuple[str, ...]
    status: Literal["found", "infeasible", "unknown"]
    points: tuple[FrontierPoint, ...]
    complete: bool
    stopped_by: Stopped | None
    knee: int | None
    solves: int


@dataclass(frozen=True)
class Proven:
    """What one question of a trace came to, once proven: `goals` and the columns that are not zero, or `values` None where
    nothing is within its bounds. `question` names it among those of the same problem, goals and engines."""

    question: str
    goals: tuple[GoalResult, ...]
    values: tuple[tuple[int, int], ...] | None


def frontier(
    problem: Problem,
    goals: Sequence[str],
    *,
    seconds: float | None = None,
    known: Callable[[str], Proven | None] = lambda question: None,
    keep: Callable[[Proven], None] = lambda proven: None,
    watch: Callable[[FrontierPoint], None] = lambda point: None,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> Frontier:
    """The frontier of two or three goals by their ids. `seconds` for all of it (default: the problem's own). Each question is
    handed to `keep` when it is proven, and is not asked again where `known` has it; what does not hold by the rules and
    costs of the problem is not believed.

    Raises Fault for goals the problem does not have, named twice, or more or fewer than that.
    """
    chosen = _chosen(problem, goals)
    running = _Tracing(problem, chosen, seconds, known, keep, watch, report, cancelled)
    return running.trace()


def _chosen(problem: Problem, goals: Sequence[str]) -> tuple[Goal, ...]:
    by_id = {goal.id: goal for goal in problem.goals}
    for id_ in goals:
        known("goal", id_, list(by_id))
    if not 2 <= len(goals) <= 3 or len(set(goals)) < len(goals):
        raise Fault("frontier.goals", ", ".join(goals), count=len(goals))
    return tuple(by_id[id_] for id_ in goals)


class _Tracing:
    """Asks for one corner after another. Corners asked for under looser bounds answer for tighter ones where they can."""

    def __init__(
        self,
        problem: Problem,
        goals: tuple[Goal, ...],
        seconds: float | None,
        known: Callable[[str], Proven | None],
        keep: Callable[[Proven], None],
        watch: Callable[[FrontierPoint], None],
        report: Reporter,
        cancelled: Cancelled,
    ) -> None:
        self.problem, self.goals = problem, goals
        self.known, self.keep = known, keep
        self.watch, self.report, self.cancelled = watch, report, cancelled
        self.ends = time.monotonic() + (problem.limits.seconds if seconds is None else seconds)
        self.model = build(problem, layout(problem, funnel(problem).passes))
        self.levels = tuple(
            Level(i, (goal.id,), goal.cost(self.model.seats).merged()) for i, goal in enumerate(goals)
        )
        self.steps = tuple(max(1, int(np.gcd.reduce(level.cost.vals, initial=0))) for level in self.levels)
        self.least: list[int] = [0] * len(goals)
        self.found: dict[tuple[int, ...], FrontierPoint] = {}
        self.corners: list[tuple[Bounds, tuple[int, ...] | None, Ints | None]] = []
        self.stopped_by: Stopped | None = None
        self.solves = 0

    def trace(self) -> Frontier:
        status = self._prepare()
        if status == "found":
            if len(self.goals) == 2:
                self._walk((None,))
            else:
                self._sweep_third()
        points = _undominated(self.found.values())
        return Frontier(
            tuple(goal.id for goal in self.goals),
            status,
            points,
            self.stopped_by is None and all(point.proven for point in points),
            self.stopped_by,
            knee(points),
            self.solves,
        )

    def _prepare(self) -> Literal["found", "infeasible", "unknown"]:
        """Settles the levels before, and the least each goal can cost alone."""
        first = min(goal.level for goal in self.goals)
        ids = {goal.id for goal in self.goals}
        before = (
            ()
            if self.problem.weighted
            else tuple(
                level for level in self.model.levels if level.level < first and not ids & set(level.parts)
            )
        )
        values: Ints | None = None
        if before:
            done = self._settle("before", self.model, before, None)
            if done.status != "optimal":
                self.stopped_by = done.stopped_by
                return "infeasible" if done.status == "infeasible" else "unknown"
            values = done.values
            for level, goal in zip(before, done.goals, strict=True):
                self.model = self.model.keeping(level, goal.value + level.tolerance)
        for i, level in enumerate(self.levels):
            done = self._settle(f"least {i}", self.model, (level,), values)
            if done.values is None:
                self.stopped_by = done.stopped_by
                return "infeasible" if done.status == "infeasible" else "unknown"
            self.least[i] = done.goals[0].bound
            values = done.values
            self.stopped_by = self.stopped_by or done.stopped_by
        return "found" if self.stopped_by is None else "unknown"

    def _walk(self, third: Bounds) -> list[tuple[int, ...]]:
        """The frontier of the first two goals; `third` bounds the others (a single None for two goals)."""
        rest = third if len(self.goals) == 3 else ()
        second: int | None = None
        found = []
        while self.stopped_by is None:
            costs = self._corner((None, second, *rest))
            if costs is None:
                break
            found.append(costs)
            if costs[1] <= self.least[1]:
                break
            second = costs[1] - self.steps[1]
        return found

    def _sweep_third(self) -> None:
        third: int | None = None
        while self.stopped_by is None:
            found = self._walk((third,))
            if not found:
                return
            third = max(costs[2] for costs in found) - self.steps[2]
            if third < self.least[2]:
                return

    def _corner(self, bounds: Bounds) -> tuple[int, ...] | None:
        """The lexicographically least costs within bounds; None where nothing is within them, or the work was stopped."""
        hint: Ints | None = None
        for other, costs, values in self.corners:
            looser = all(_within(b, o) for b, o in zip(bounds, other, strict=True))
            if looser and (costs is None or _kept(costs, bounds)):
                return costs
            if costs is not None and _kept(costs, bounds):
                hint = values
        self.report(Progress("frontier", done=len(self.found)))
        model = self.model
        for level, bound in zip(self.levels, bounds, strict=True):
            if bound is not None:
                model = model.keeping(level, bound)
        done = self._settle(f"within {bounds}", model, self._order(bounds), hint)
        if done.status == "infeasible":
            self.corners.append((bounds, None, None))
            return None
        if done.values is None:
            self.stopped_by = self.stopped_by or done.stopped_by or "time"
            return None
        costs = tuple(level.cost.at(done.values) for level in self.levels)
        self._keep(costs, done)
        if done.status == "optimal":
            self.corners.append((bounds, costs, done.values))
        else:
            self.stopped_by = self.stopped_by or done.stopped_by
        return costs

    def _order(self, bounds: Bounds) -> tuple[Level, ...]:
        """The goals one after the other; as one where bounds tell how far the later ones can lie apart."""
        if any(bound is None for bound in bounds[1:]):
            return self.levels
        cost, factor = Linear.of([]), 1
        for level, bound, least, step in reversed(
            list(zip(self.levels, bounds, self.least, self.steps, strict=True))
        ):
            cost += factor * Linear(level.cost.cols, level.cost.vals // step)
            if bound is not None:
                factor *= (bound - least) // step + 2
        if factor > 2**24:
            return self.levels
        return (Level(0, tuple(goal.id for goal in self.goals), cost.merged()),)

    def _settle(
        self, question: str, model: Model, levels: tuple[Level, ...], values: Ints | None
    ) -> Settling:
        before = self._recalled(question, model, levels)
        if before is not None:
            return before
        self.solves += 1
        limits = replace(self.problem.limits, seconds=max(0.0, self.ends - time.monotonic()))
        asked = replace(self.problem, limits=limits)
        done = settled(asked, model, levels, values=values, cancelled=self.cancelled)
        if done.status == "infeasible":
            self.keep(Proven(question, (), None))
        elif done.status == "optimal" and done.values is not None:
            there = np.flatnonzero(done.values).tolist()
            self.keep(Proven(question, done.goals, tuple((at, int(done.values[at])) for at in there)))
        return done

    def _recalled(self, question: str, model: Model, levels: tuple[Level, ...]) -> Settling | None:
        """What was proven before, if its panel is lawful and costs what it says."""
        found = self.known(question)
        if found is None or found.values is None:
            return None if found is None else Settling("infeasible", None, (), None, ())
        values = np.zeros(model.width, dtype=np.int64)
        if any(not 0 <= at < model.width for at, _ in found.values) or len(found.goals) != len(levels):
            return None
        for at, value in found.values:
            values[at] = value
        over = [level.cost.at(values) - goal.value for level, goal in zip(levels, found.goals, strict=True)]
        within = all(0 <= more <= level.tolerance for more, level in zip(over, levels, strict=True))
        if not within or not lawful(self.model.seats.decode(values)):
            return None
        return Settling("optimal", None, found.goals, values, ())

    def _keep(self, costs: tuple[int, ...], done: Settling) -> None:
        assert done.values is not None
        panel = self.model.seats.decode(done.values)
        if not lawful(panel) or costs != tuple(goal.value(panel) for goal in self.goals):
            raise BrokenPanel(f"point of a frontier: {self.problem.title}")
        proven = done.status == "optimal"
        bound = costs[0] if proven else self.least[0]
        if not proven and done.goals and done.goals[0].id == self.goals[0].id:
            bound = max(bound, min(costs[0], done.goals[0].bound))
        point = FrontierPoint(costs, bound, proven, panel)
        if costs not in self.found or proven:
            self.found[costs] = point
            self.watch(point)


def _within(tight: int | None, loose: int | None) -> bool:
    return loose is None or (tight is not None and tight <= loose)


def _kept(costs: tuple[int, ...], bounds: Bounds) -> bool:
    return all(bound is None or cost <= bound for cost, bound in zip(costs, bounds, strict=True))


def _undominated(points: Iterable[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    """The points that no other beats, by rising cost in the first goal."""
    every = list(points)
    return tuple(
        sorted(
            (
                one
                for one in every
                if not any(other is not one and _kept(other.costs, one.costs) for other in every)
            ),
            key=lambda point: point.costs,
        )
    )


def knee(points: Sequence[FrontierPoint]) -> int | None:
    """The point whose costs, each as a part of its span over the frontier, add up to least: the farthest below the chord
    between the two ends. None with fewer than three points, or where all lie on it."""
    if len(points) < 3:
        return None
    costs = np.array([point.costs for point in points], dtype=np.float64)
    low, span = costs.min(axis=0), np.ptp(costs, axis=0)
    share = ((costs - low) / np.where(span > 0, span, 1.0)).sum(axis=1)
    best = int(share.argmin())
    return best if share[best] < 1.0 - 1e-9 else None
