"""Engines raced on one model, each in a warm process that can be killed.

The first proof wins and the others are stopped. An incumbent of one is kept whichever wins; the bounds of all count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

import numpy as np

from solver.answer import Status, Stopped
from solver.blocks import Linear
from solver.engines.job import Ended, EngineName, Job, Solved
from solver.engines.processes import EngineProcess, Heard, borrow, give_back
from solver.facts import Ints
from solver.model import Model

Cancelled = Callable[[], bool]
Watch = Callable[[int | None, int | None], None]
"""Told of the best incumbent and the best bound so far, each time one of them gets better."""

TICK = 0.05
"""Seconds between two looks at `cancelled` and at the memory."""
GRACE = 2.0
"""Seconds that an engine gets beyond its own time limit before it is killed."""


@dataclass(frozen=True)
class Effort:
    """What a solve may use: wall seconds, relative gap 0..1, engines at once, MB for each engine."""

    seconds: float
    gap: float = 0.0
    workers: int = 1
    memory_mb: int | None = None
    seed: int = 0
    engines: tuple[EngineName, ...] | None = None
    """These and no others; None leaves the choice to `workers`."""


def engines_for(workers: int) -> tuple[EngineName, ...]:
    """CP-SAT alone with one worker; with more, HiGHS runs beside it."""
    return ("cp_sat",) if workers == 1 else ("cp_sat", "highs")


def minimise(
    model: Model,
    cost: Linear | None,
    effort: Effort,
    *,
    hint: Ints | None = None,
    enough: int | None = None,
    cancelled: Cancelled = lambda: False,
    watch: Watch = lambda incumbent, bound: None,
) -> Solved:
    """The cheapest values of a model, or any that are feasible when `cost` is None. `hint`: values of all columns, or
    UNKNOWN. `enough`: a bound that answers the question: once it is reached the search ends, stopped by nothing. Ends within about a tenth of a second of `cancelled`, with the best found so far. `stopped_by` is `engine`
    when the processes of all engines died twice."""
    if cancelled():
        return Solved("unknown", None, None, None, "cancelled")
    if effort.seconds <= 0:
        return Solved("unknown", None, None, None, "time")
    if bool((model.lower > model.upper).any() or (model.column_lower > model.column_upper).any()):
        return Solved("infeasible", None, None, None, None)
    live, job = _packed(model, cost, hint)
    job = replace(job, seconds=effort.seconds, gap=effort.gap, seed=effort.seed)
    solved = _Race(job, effort, watch, enough).run(cancelled)
    if solved.values is None:
        return solved
    values = np.zeros(model.width, dtype=np.int64)
    values[live] = solved.values
    return replace(solved, values=values)


def _packed(model: Model, cost: Linear | None, hint: Ints | None) -> tuple[Ints, Job]:
    """The columns of the model that are not fixed at zero, and the job over them alone."""
    live = np.flatnonzero((model.column_upper != 0) | (model.column_lower != 0))
    place = np.full(model.width, -1, dtype=np.int64)
    place[live] = np.arange(len(live))
    entries = place[model.cols] >= 0
    prices = None
    if cost is not None:
        every = np.zeros(model.width, dtype=np.int64)
        every[cost.cols] = cost.vals
        prices = every[live]
    return live, Job(
        model.column_lower[live],
        model.column_upper[live],
        np.searchsorted(model.owner[entries], np.arange(len(model.lower) + 1)),
        place[model.cols[entries]],
        model.vals[entries],
        model.lower,
        model.upper,
        prices,
        0 if cost is None else cost.constant,
        None if hint is None else hint[live],
        seconds=0.0,
        gap=0.0,
        threads=1,
        seed=0,
    )


class _Race:
    def __init__(self, job: Job, effort: Effort, watch: Watch, enough: int | None) -> None:
        self.job, self.effort, self.watch, self.enough = job, effort, watch, enough
        self.heard: SimpleQueue[Heard] = SimpleQueue()
        self.running: dict[EngineName, EngineProcess] = {}
        self.deaths: dict[EngineName, int] = {}
        self.values: Ints | None = None
        self.value: int | None = None
        self.bound: int | None = None
        self.leader: EngineName | None = None
        self.stopped_by: Stopped | None = None
        self.ends = time.monotonic() + effort.seconds

    def run(self, cancelled: Cancelled) -> Solved:
        names = self.effort.engines or engines_for(self.effort.workers)
        threads = max(1, self.effort.workers - len(names) + 1)
        for name in names:
            self._start(name, threads if name == "cp_sat" else 1)
        try:
            while self.running:
                done = self._next(cancelled)
                if done is not None:
                    return done
        finally:
            for process in self.running.values():
                give_back(process)
        return self._best(self.stopped_by or "engine")

    def _start(self, name: EngineName, threads: int) -> None:
        left = max(0.01, self.ends - time.monotonic())
        process = borrow(name)
        process.start(replace(self.job, threads=threads, seconds=left), self.heard)
        self.running[name] = process

    def _next(self, cancelled: Cancelled) -> Solved | None:
        if cancelled():
            return self._best("cancelled")
        if time.monotonic() > self.ends + GRACE:
            for name in list(self.running):
                self.running.pop(name).kill()
            return self._best("time")
        if self.effort.memory_mb is not None:
            self._weigh(self.effort.memory_mb)
        try:
            process, number, said = self.heard.get(timeout=TICK)
        except Empty:
            return None
        if self.running.get(process.engine) is not process or number not in (None, process.number):
            return None
        if said is None:
            self._died(process)
            return None
        if isinstance(said, Ended):
            return self._ended(process, said)
        return self._news(process.engine, *said)

    def _weigh(self, most: int) -> None:
        for name, process in list(self.running.items()):
            if process.memory_mb() > most:
                process.kill()
                del self.running[name]
                self.stopped_by = "memory"

    def _died(self, process: EngineProcess) -> None:
        name = process.engine
        del self.running[name]
        self.deaths[name] = self.deaths.get(name, 0) + 1
        if self.deaths[name] == 1:
            self._start(name, 1)

    def _news(self, engine: EngineName, values: Ints | None, bound: int | None) -> Solved | None:
        better = False
        if values is not None and self.job.cost is not None:
            value = int(self.job.cost @ values) + self.job.constant
            if self.value is None or value < self.value:
                self.values, self.value, self.leader, better = values, value, engine, True
        if bound is not None and (self.bound is None or bound > self.bound):
            self.bound, better = bound, True
        if better:
            self.watch(self.value, self.bound)
        if self.value is not None and self.bound is not None and self.bound >= self.value:
            return Solved("optimal", self.values, self.value, self.value, None, self.leader)
        if self.enough is not None and self.bound is not None and self.bound >= self.enough:
            return self._best(None, engine)
        return None

    def _ended(self, process: EngineProcess, said: Ended) -> Solved | None:
        give_back(self.running.pop(process.engine))
        if said.status == "infeasible":
            return Solved("infeasible", None, None, None, None, process.engine)
        if said.status == "optimal" and self.job.cost is None:
            return Solved("optimal", said.values, None, None, None, process.engine)
        if said.values is not None or said.bound is not None:
            proven = self._news(process.engine, said.values, said.bound)
            if proven is not None:
                return proven
        if said.stopped_by == "gap":
            return self._best("gap")
        self.stopped_by = self.stopped_by or said.stopped_by
        return None

    def _best(self, stopped_by: Stopped | None, engine: EngineName | None = None) -> Solved:
        status: Status = "unknown" if self.values is None else "feasible"
        return Solved(status, self.values, self.value, self.bound, stopped_by, engine or self.leader)
