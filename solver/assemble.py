"""The main job: a panel problem in, a checked panel with proof and reasons out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

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
from solver.facts import Ints
from solver.model import Funnel, Level, Model, build, funnel, layout
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.reasons import alternates_of, cases_of, members_of
from solver.why_not import why_not


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
    with clock.phase("load"):
        engine = CpSat(model)
    with clock.phase("solve"):
        levels = (_added(model.levels),) if problem.weighted and model.levels else model.levels
        search = _Search(problem, model, engine, report, cancelled)
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


def _added(levels: tuple[Level, ...]) -> Level:
    cost = Linear.of([])
    for level in levels:
        cost += level.cost
    return Level(0, tuple(part for level in levels for part in level.parts), cost.merged())


class _Search:
    """Settles the levels one after the other on one engine."""

    def __init__(
        self, problem: Problem, model: Model, engine: CpSat, report: Reporter, cancelled: Cancelled
    ) -> None:
        self.problem, self.model, self.engine = problem, model, engine
        self.report, self.cancelled = report, cancelled
        self.ends = time.monotonic() + problem.limits.seconds
        self.values: Ints | None = None
        self.results: list[GoalResult] = []
        self.status: Status = "unknown"
        self.stopped_by: Stopped | None = None

    def run(self, levels: tuple[Level, ...]) -> None:
        if not levels:
            self._take(self._minimise(None, "feasibility"))
            return
        for i, level in enumerate(levels):
            if not self._take(self._settle(level)):
                break
            if i + 1 < len(levels):
                self.engine.keep(level.cost, self.results[-1].value + level.tolerance)
        if self.values is not None:
            self._name_the_rest(levels)

    def _settle(self, level: Level) -> Solved:
        """Nothing to search for where the panel in hand already costs as little as the level ever can."""
        floor = level.cost.constant + int((level.cost.vals * self._cheapest(level)).sum())
        if self.values is not None and level.cost.at(self.values) == floor:
            solved = Solved("optimal", self.values, floor, floor, None)
        else:
            solved = self._minimise(level.cost, level.id)
        if solved.values is not None and solved.value is not None and solved.bound is not None:
            proven = solved.status == "optimal"
            self.results.append(
                GoalResult(
                    id=level.id, level=level.level, value=solved.value, bound=solved.bound, proven=proven
                )
            )
        return solved

    def _cheapest(self, level: Level) -> Ints:
        low, high = self.model.column_lower[level.cost.cols], self.model.column_upper[level.cost.cols]
        cheapest: Ints = low * (level.cost.vals >= 0) + high * (level.cost.vals < 0)
        return cheapest

    def _minimise(self, cost: Linear | None, goal: str) -> Solved:
        if self.values is not None:
            self.engine.hint(self.values)
        limits = self.problem.limits
        latest: dict[str, int | None] = {"incumbent": None, "bound": None}

        def watch(incumbent: int | None, bound: int | None) -> None:
            latest["incumbent"] = latest["incumbent"] if incumbent is None else incumbent
            latest["bound"] = latest["bound"] if bound is None else bound
            self.report(Progress("solve", goal=goal, incumbent=latest["incumbent"], bound=latest["bound"]))

        return self.engine.minimise(
            cost,
            seconds=self.ends - time.monotonic(),
            gap=limits.gap,
            workers=limits.workers,
            seed=self.problem.seed,
            cancelled=self.cancelled,
            watch=watch,
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

    def _name_the_rest(self, levels: tuple[Level, ...]) -> None:
        """Levels never reached still say what the panel costs there, against the least they ever can."""
        assert self.values is not None
        done = {result.id for result in self.results}
        for level in levels:
            if level.id not in done:
                value = level.cost.at(self.values)
                floor = level.cost.constant + int((level.cost.vals * self._cheapest(level)).sum())
                self.results.append(
                    GoalResult(
                        id=level.id, level=level.level, value=value, bound=floor, proven=value == floor
                    )
                )


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
