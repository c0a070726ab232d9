"""Sweeps over several processes: the same points, the same results, whoever settles them.

The parent knows what hangs on what, takes over what theorems give it, and hands out searches; a helper keeps the rows of
the problems it has seen. A helper that dies costs the search it was at, which is done again.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from solver.engines.race import Cancelled
from solver.orphans import end_with_parent
from solver.panel import Panel
from solver.problem import Problem
from solver.progress import Progress, Reporter, silent
from solver.sweeping.kept import Kept
from solver.sweeping.settled import Settled, inherited, searched
from solver.sweeping.sweep import Plan, Point, planned, settle

Node = tuple[int, int]
"""The number of the sweep and of the point in it."""
DEATHS = 2
"""So often a pool of helpers is made anew; then the parent works alone."""
REMEMBERED = 3
"""Sweeps whose rows a helper keeps at a time."""


@dataclass(frozen=True)
class Task:
    """One sweep: the problem it starts from and its points."""

    problem: Problem
    points: tuple[Point, ...]


def sweep_all(
    tasks: Sequence[Task],
    *,
    workers: int = 1,
    known: Callable[[int, Plan], Mapping[int, Settled]] = lambda task, plan: {},
    watch: Callable[[int, int, Settled], None] = lambda task, point, settled: None,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> list[dict[int, Settled]]:
    """Every point of every sweep, settled by so many processes; those settled before `cancelled` said so. `known(task,
    plan)`: points settled already, which `watch` is not told of.

    Raises Fault where a change does not fit its problem.
    """
    plans = [planned(task.problem, task.points) for task in tasks]
    running = _Running(
        plans, [dict(known(i, plan)) for i, plan in enumerate(plans)], watch, report, cancelled
    )
    if workers == 1 or running.left <= 1:
        running.alone()
    else:
        with tempfile.TemporaryDirectory() as folder:
            for i, task in enumerate(tasks):
                (Path(folder) / str(i)).write_bytes(pickle.dumps(task, pickle.HIGHEST_PROTOCOL))
            running.together(folder, workers)
    return running.done


class _Running:
    def __init__(
        self,
        plans: Sequence[Plan],
        done: list[dict[int, Settled]],
        watch: Callable[[int, int, Settled], None],
        report: Reporter,
        cancelled: Cancelled,
    ) -> None:
        self.plans, self.done = plans, done
        self.watch, self.report, self.cancelled = watch, report, cancelled
        self.waiting: list[Node] = [
            (i, point) for i, plan in enumerate(plans) for point in plan.order if point not in done[i]
        ]
        self.total = sum(len(plan.order) for plan in plans)

    @property
    def left(self) -> int:
        return len(self.waiting)

    def alone(self) -> None:
        kept, at = Kept(), -1
        while self.waiting and not self.cancelled():
            i, point = self.waiting.pop(0)
            if i != at:
                kept, at = Kept(), i
            self.tell()
            settled = settle(self.plans[i], point, self.done[i], kept, self.cancelled)
            if settled.stopped_by == "cancelled":
                return
            self.take((i, point), settled)

    def tell(self) -> None:
        self.report(Progress("sweep", done=sum(map(len, self.done)), total=self.total))

    def take(self, node: Node, settled: Settled) -> None:
        self.done[node[0]][node[1]] = settled
        self.watch(*node, settled)

    def ready(self) -> Node | None:
        """The next point that waits for nothing; what theorems give is taken on the way."""
        for node in list(self.waiting):
            i, point = node
            plan, done = self.plans[i], self.done[i]
            near = plan.near[point]
            if any(q not in done for q in plan.before[point]) or (near is not None and near not in done):
                continue
            found = inherited(plan.problems[point], [(q, done[q]) for q in plan.before[point]])
            self.waiting.remove(node)
            if found is None:
                return node
            self.take(node, found)
        return None

    def together(self, folder: str, workers: int) -> None:
        for _ in range(DEATHS):
            stop = multiprocessing.get_context("spawn").Event()
            busy: dict[Future[Any], Node] = {}
            with ProcessPoolExecutor(
                workers, multiprocessing.get_context("spawn"), _begin, (folder, stop)
            ) as pool:
                try:
                    self._hand_out(pool, busy, workers, stop)
                    return
                except BrokenProcessPool:
                    self.waiting = sorted([*busy.values(), *self.waiting], key=self._place)
        self.alone()

    def _place(self, node: Node) -> tuple[int, int]:
        return node[0], self.plans[node[0]].order.index(node[1])

    def _hand_out(
        self, pool: ProcessPoolExecutor, busy: dict[Future[Any], Node], workers: int, stop: Any
    ) -> None:
        while self.waiting or busy:
            if self.cancelled():
                stop.set()
                self.waiting = []
            while self.waiting and len(busy) < workers:
                node = self.ready()
                if node is None:
                    break
                i, point = node
                near = self.plans[i].near[point]
                start = None if near is None else _light(self.done[i][near])
                try:
                    future = pool.submit(_settle, i, point, start)
                except BrokenProcessPool:  # a helper died since: the point still waits
                    self.waiting.append(node)
                    raise
                busy[future] = node
            self.tell()
            ended, _ = wait(busy, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in ended:
                node = busy[future]
                settled = _heavy(future.result(), self.plans[node[0]].problems[node[1]])
                del busy[future]
                if settled.stopped_by != "cancelled":
                    self.take(node, settled)


Light = tuple[Settled, tuple[Any, ...] | None]
"""A settled point without its problem, which the other side has already."""


def _light(settled: Settled) -> Light:
    panel = settled.panel
    if panel is None:
        return settled, None
    return replace(settled, panel=None), (panel.members, panel.chair, panel.deputies, panel.alternates)


def _heavy(light: Light, problem: Problem) -> Settled:
    settled, parts = light
    return settled if parts is None else replace(settled, panel=Panel(problem, *parts))


_folder: str = ""
_stop: Any = None
_seen: dict[int, tuple[Plan, Kept]] = {}


def _begin(folder: str, stop: Any) -> None:
    """A helper begins, and ends with its parent; Ctrl-C is the parent's affair."""
    global _folder, _stop
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _folder, _stop = folder, stop


def _settle(task: int, point: int, near: Light | None) -> Light:
    """One search, in a helper."""
    if task not in _seen:
        own: Task = pickle.loads((Path(_folder) / str(task)).read_bytes())  # noqa: S301 - from our own parent
        while len(_seen) >= REMEMBERED:
            del _seen[next(iter(_seen))]
        _seen[task] = (planned(own.problem, own.points), Kept())
    plan, kept = _seen[task]
    problem = plan.problems[point]
    start = None if near is None else _heavy(near, problem)
    return _light(searched(problem, kept, start, cancelled=_stop.is_set))
