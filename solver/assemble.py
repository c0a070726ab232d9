"""The main job: a panel problem in, a checked panel with proof and reasons out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from solver.answer import (
    Answer,
    GateResult,
    GoalResult,
    ProblemRef,
    RunLog,
    Saying,
    Status,
    Stopped,
)
from solver.blocks import Linear
from solver.check import judge
from solver.document import problem_sha256
from solver.engines.cp_sat import Cancelled, CpSat, Solved
from solver.facts import Ints, Mask
from solver.model import Funnel, Level, Model, build, funnel, layout
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.reasons import alternates_of, cases_of, members_of
from solver.reduce import Prices, prices, restrict
from solver.why_not import why_not

FEW = 900
"""How many seat columns the first look at a level keeps."""


class BrokenPanel(AssertionError):
    """The checker found fault with a panel the engine made: a fault of ours, never shown as a result."""


def assemble(
    problem: Problem, *, report: Reporter = silent, cancelled: Cancelled = lambda: False
) -> tuple[Answer, RunLog]:
    """The best panel of a problem.

    Levels are settled in order, each kept within its tolerance while the next is looked at; in a weighted problem
    all costs are added. The answer is `optimal` only if every level was proven. It has passed the checker: otherwise
    BrokenPanel is raised. `cancelled` is asked often; the best panel so far is returned then, `stopped_by` says so.
    """
    clock = _Clock()
    with clock.phase("gates"):
        report(Progress("gates", total=len(problem.experts)))
        narrowed = funnel(problem)
    with clock.phase("model"):
        report(Progress("model"))
        model = build(problem, layout(problem, narrowed.passes))
    with clock.phase("solve"):
        levels = (summed(model.levels),) if problem.weighted and model.levels else model.levels
        search = _Search(problem, model, report, cancelled)
        search.run(levels)
    with clock.phase("check"):
        report(Progress("check"))
        answer = _answer(problem, narrowed, search, cancelled)
    run = RunLog(
        engine=f"CP-SAT (ortools {_version('ortools')})",
        workers=problem.limits.workers,
        columns=model.width,
        rows=len(model.lower),
        entries=len(model.cols),
        wall_seconds=round(time.monotonic() - clock.wall, 3),
        cpu_seconds=round(time.process_time() - clock.cpu, 3),
        phases=clock.phases,
        note=""
        if problem.limits.workers == 1
        else "several workers: equally good panels may differ between runs",
    )
    return answer, run


class _Clock:
    def __init__(self) -> None:
        self.wall, self.cpu = time.monotonic(), time.process_time()
        self.phases: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.phases[name] = round(time.monotonic() - started, 3)


def summed(levels: tuple[Level, ...]) -> Level:
    """One level that adds up all costs: what a weighted problem makes small."""
    cost = Linear.of([])
    for level in levels:
        cost += level.cost
    return Level(0, tuple(part for level in levels for part in level.parts), cost.merged())


class _Search:
    """Settles the levels one after the other, each kept as a row while the next is looked at."""

    def __init__(self, problem: Problem, model: Model, report: Reporter, cancelled: Cancelled) -> None:
        self.problem, self.model = problem, model
        self.report, self.cancelled = report, cancelled
        self.ends = time.monotonic() + problem.limits.seconds
        self.values: Ints | None = None
        self.results: list[GoalResult] = []
        self.status: Status = "unknown"
        self.stopped_by: Stopped | None = None

    def run(self, levels: tuple[Level, ...]) -> None:
        if not levels:
            self._take(self._engine(self.model).minimise(None, **self._limits()))
            return
        for level in levels:
            solved = self._settle(level)
            going_on = self._take(solved)
            if solved.values is not None:
                self._name(level, solved)
            if not going_on:
                break
            assert solved.value is not None
            self.model = self.model.keeping(level, solved.value + level.tolerance)
        if self.values is not None:
            for level in levels[len(self.results) :]:
                self._name(level, self._unsettled(level))

    def _name(self, level: Level, solved: Solved) -> None:
        assert solved.value is not None
        assert solved.bound is not None
        proven = solved.value == solved.bound
        self.results.append(
            GoalResult(id=level.id, level=level.level, value=solved.value, bound=solved.bound, proven=proven)
        )

    def _unsettled(self, level: Level) -> Solved:
        """A level never looked at still says what the panel costs there, against the least it ever can."""
        assert self.values is not None
        return Solved("feasible", self.values, level.cost.at(self.values), self.model.least(level.cost), None)

    def _settle(self, level: Level) -> Solved:
        """Solves over the columns that the prices keep, widened until none left out can matter."""
        cost = level.cost
        if self.values is not None and cost.at(self.values) == self.model.least(cost):
            value = cost.at(self.values)
            return Solved("optimal", self.values, value, value, None)
        if self.cancelled():
            return self._given_up(level, "cancelled")
        self.report(Progress("prices", goal=level.id))
        priced = prices(self.model, cost)
        self.report(Progress("solve", goal=level.id, bound=priced.floor))
        kept = self._first(priced)
        while True:
            if self.values is not None:
                kept = kept | (self.values != 0)
            outside = priced.outside(kept)
            solved = self._over(level, priced, kept, outside)
            if solved.status == "infeasible" and outside is not None:
                kept = np.ones_like(kept) if self.values is None else priced.kept(cost.at(self.values))
                continue
            if solved.values is None or solved.value is None or solved.bound is None:
                return solved if self.values is None else self._given_up(level, solved.stopped_by)
            self.values = solved.values
            bound = max(priced.floor, min(solved.bound, solved.value if outside is None else outside))
            if solved.stopped_by is not None or bound >= solved.value:
                status: Status = "optimal" if bound >= solved.value else "feasible"
                return Solved(
                    status,
                    solved.values,
                    solved.value,
                    min(bound, solved.value),
                    None if status == "optimal" else solved.stopped_by,
                )
            kept = priced.kept(solved.value - 1)

    def _first(self, priced: Prices) -> Mask:
        """The seats of least reduced cost, enough for a good panel and few enough for a fast one; every auxiliary,
        since without slack the first look may be hard to even decide."""
        seats = self.model.seats.width
        if seats <= FEW:
            return np.ones(self.model.width, dtype=bool)
        limit = int(np.partition(priced.reduced[:seats], FEW)[FEW])
        kept: Mask = priced.reduced <= limit
        kept[seats:] = True
        return kept

    def _over(self, level: Level, priced: Prices, kept: Mask, outside: int | None) -> Solved:
        engine = self._engine(restrict(self.model, kept))
        latest: dict[str, int | None] = {"incumbent": None, "bound": priced.floor}

        def watch(incumbent: int | None, bound: int | None) -> None:
            latest["incumbent"] = latest["incumbent"] if incumbent is None else incumbent
            if bound is not None:
                latest["bound"] = max(priced.floor, bound if outside is None else min(bound, outside))
            self.report(
                Progress("solve", goal=level.id, incumbent=latest["incumbent"], bound=latest["bound"])
            )

        return engine.minimise(level.cost, watch=watch, **self._limits())

    def _engine(self, model: Model) -> CpSat:
        engine = CpSat(model)
        if self.values is not None:
            engine.hint(self.values)
        return engine

    def _limits(self) -> dict[str, Any]:
        limits = self.problem.limits
        return {
            "seconds": self.ends - time.monotonic(),
            "gap": limits.gap,
            "workers": limits.workers,
            "seed": self.problem.seed,
            "cancelled": self.cancelled,
        }

    def _given_up(self, level: Level, why: Stopped | None) -> Solved:
        if self.values is None:
            return Solved("unknown", None, None, None, why)
        unsettled = self._unsettled(level)
        return Solved("feasible", unsettled.values, unsettled.value, unsettled.bound, why or "time")

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


def _answer(problem: Problem, narrowed: Funnel, search: _Search, cancelled: Cancelled) -> Answer:
    legal = search.values is not None
    panel = None if search.values is None else search.model.seats.decode(search.values)
    rules, findings = judge(panel) if panel is not None else ([], [])
    broken = [finding for finding in findings if finding.hard]
    if broken:
        raise BrokenPanel(f"{problem_sha256(problem)}: {[f.says for f in broken]}")
    last = search.results[-1] if search.results and problem.weighted else None
    bases = {rule.id: rule.basis for rule in problem.rules}
    return Answer(
        status=search.status,
        stopped_by=search.stopped_by,
        fileable=legal and problem.procedure == "compose",
        problem=reference(problem),
        versions={"expert-pool": _version("expert-pool"), "ortools": _version("ortools")},
        mode="weighted" if problem.weighted else "lexicographic",
        goals=search.results,
        objective=last.value if last else None,
        bound=last.bound if last else None,
        gap=_gap(search.results) if legal else None,
        members=members_of(panel) if panel else [],
        alternates=alternates_of(panel) if panel else [],
        rules=rules,
        findings=findings,
        cases=cases_of(panel) if panel else [],
        considered=len(problem.experts),
        funnel=[
            GateResult(id=id_, bars=bars, left=left, basis=bases[id_].text, basis_status=bases[id_].status)
            for id_, bars, left in narrowed.gates
        ],
        why_not=_why_not(problem, narrowed, search, cancelled),
    )


def _why_not(problem: Problem, narrowed: Funnel, search: _Search, cancelled: Cancelled) -> list[Saying]:
    if search.status == "infeasible":
        search.report(Progress("why_not"))
        return why_not(problem, narrowed, cancelled)
    if search.status == "unknown":
        return [Saying(code="why_not.stopped", params={"stopped_by": search.stopped_by})]
    return []


def _gap(results: list[GoalResult]) -> float:
    """The widest relative gap of a level: (value - bound) / max(1, |value|)."""
    return round(max(((r.value - r.bound) / max(1, abs(r.value)) for r in results), default=0.0), 6)


def reference(problem: Problem) -> ProblemRef:
    """What an answer says of the problem it answers."""
    return ProblemRef(
        sha256=problem_sha256(problem),
        title=problem.title,
        committee=problem.committee,
        meeting=problem.meeting,
        on=problem.on.isoformat(),
        procedure=problem.procedure,
        policy=problem.policy.id,
        policy_version=problem.policy.version,
        seed=problem.seed,
        made=problem.made,
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "checkout"
