"""The seasons of all replications, settled by one process or several: the same outcomes, whoever settles them."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expert_pool.simulation.years.chance import Chance
from expert_pool.simulation.years.document import YearsDoc
from expert_pool.simulation.years.ground import Ground, on_in
from expert_pool.simulation.years.history import History, Node, Order, meeting_places
from expert_pool.simulation.years.kept import Shelf
from expert_pool.simulation.years.outcome import Fated, key_of
from expert_pool.simulation.years.season import Before, Replication
from expert_pool.simulation.years.seating import fated
from solver.engines.race import Cancelled
from solver.orphans import end_with_parent
from solver.progress import Progress, Reporter, silent

DEATHS = 2
"""So often a crew is made anew; then the parent works alone."""
REMEMBERED = 2
"""Replications whose seasons a helper keeps at a time."""


@dataclass(frozen=True)
class Setting:
    """Everything the outcomes follow from."""

    ground: Ground
    years: YearsDoc
    seed: int
    seconds: float | None

    def order(self, near: Sequence[Sequence[int]], chosen: Sequence[int]) -> Order:
        """Who waits for whom; `near` as from `meeting_places`."""
        days = [on_in(template.problem, 0) for template in self.ground.templates]
        return Order(near, days, self.years.ahead, chosen)

    def replication(self, number: int) -> Replication:
        """One replication: its luck and its seasons."""
        return Replication(self.ground, self.years, self.seed, number, self.seconds)


@dataclass(frozen=True)
class Settled:
    """One outcome, its name among outcomes, and how many could be asked, said no, and passed the gates."""

    key: str
    fated: Fated
    there: int
    declined: int
    eligible: int


@dataclass
class Ran:
    """The outcomes of one replication, as far as they came; `committees` that were looked at."""

    number: int
    committees: tuple[int, ...]
    history: History
    settled: dict[Node, Settled]


def committees_of(setting: Setting, number: int) -> tuple[int, ...]:
    """The committees that a replication looks at: all, or a sample of its own drawn without return."""
    count, sample = len(setting.ground.templates), setting.years.sample
    if sample is None or sample >= count:
        return tuple(range(count))
    luck = Chance(setting.seed, number).places(count, "sample", 0)
    return tuple(sorted(sorted(range(count), key=lambda at: luck[at])[:sample]))


def run_all(
    setting: Setting,
    numbers: Sequence[int],
    shelf: Shelf,
    *,
    workers: int = 1,
    enough: Callable[[Node, Fated], bool] = lambda node, fated: False,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> list[Ran]:
    """The replications of those numbers, settled as far as `cancelled` allows; `enough`: an outcome after which nothing more
    is asked."""
    running = _Running(setting, numbers, shelf, report, cancelled)
    running.enough = enough
    if workers == 1 or running.left <= 1:
        running.alone()
    else:
        running.together(workers)
    return running.runs


class _Running:
    def __init__(
        self, setting: Setting, numbers: Sequence[int], shelf: Shelf, report: Reporter, cancelled: Cancelled
    ) -> None:
        self.setting, self.shelf, self.report, self.cancelled = setting, shelf, report, cancelled
        seasons = setting.years.seasons
        near = meeting_places(setting.ground)
        self.runs = [Ran(n, committees_of(setting, n), History(setting.ground, seasons), {}) for n in numbers]
        self.waiting: dict[tuple[int, Node], int] = {}
        """By run and node how many it still waits for."""
        self.after: dict[tuple[int, Node], list[Node]] = {}
        self.ready: list[tuple[int, int, int, int]] = []
        self.orders = [setting.order(near, ran.committees) for ran in self.runs]
        self.length = [order.urgency(seasons) for order in self.orders]
        for r, ran in enumerate(self.runs):
            for season in range(seasons):
                for at in ran.committees:
                    node = (season, at)
                    needs = self.orders[r].waiting_for(node)
                    self.waiting[r, node] = len(needs)
                    for need in needs:
                        self.after.setdefault((r, need), []).append(node)
                    if not needs:
                        self._open(r, node)
        self.total = len(self.waiting)
        self.done = 0
        self.enough: Callable[[Node, Fated], bool] = lambda node, fated: False
        self.halted = False

    @property
    def left(self) -> int:
        return self.total - self.done

    def _open(self, r: int, node: Node) -> None:
        self.ready.append((r, -self.length[r][node], *node))

    def _next(self) -> tuple[int, Node]:
        """Of those that wait for nothing: the first replication, there the one on which most hangs."""
        best = min(self.ready)
        self.ready.remove(best)
        return best[0], (best[2], best[3])

    def take(self, r: int, node: Node, settled: Settled) -> None:
        self.runs[r].history.take(node, settled.fated)
        self.runs[r].settled[node] = settled
        self.shelf.put(settled.key, settled.fated)
        self.done += 1
        self.halted = self.halted or self.enough(node, settled.fated)
        for other in self.after.get((r, node), ()):
            self.waiting[r, other] -= 1
            if not self.waiting[r, other]:
                self._open(r, other)

    def tell(self) -> None:
        self.report(Progress("years", done=self.done, total=self.total))

    def before(self, r: int, node: Node) -> Before:
        return self.runs[r].history.before(node, self.orders[r])

    def alone(self) -> None:
        known: OrderedDict[int, Replication] = OrderedDict()
        while self.ready and not self.halted and not self.cancelled():
            r, node = self._next()
            self.tell()
            number = self.runs[r].number
            settled = _settled(
                _remembered(known, self.setting, number),
                node,
                self.before(r, node),
                self.shelf,
                self.cancelled,
            )
            if settled is None:
                self._open(r, node)
                return
            self.take(r, node, settled)
        self.tell()

    def together(self, workers: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "setting").write_bytes(pickle.dumps(self.setting, pickle.HIGHEST_PROTOCOL))
            place = None if self.shelf.path is None else self.shelf.path.parent
            for _ in range(DEATHS):
                context = multiprocessing.get_context("spawn")
                stop = context.Event()
                busy: dict[Future[Settled | None], tuple[int, Node]] = {}
                begun = (folder, place, self.shelf.versions, stop)
                with ProcessPoolExecutor(workers, context, _begin, begun) as pool:
                    try:
                        self._hand_out(pool, busy, workers, stop)
                        return
                    except BrokenProcessPool:
                        for r, node in busy.values():
                            self._open(r, node)
        self.alone()

    def _hand_out(self, pool: ProcessPoolExecutor, busy: dict[Any, Any], workers: int, stop: Any) -> None:
        while (self.ready and not stop.is_set()) or busy:
            if self.halted or self.cancelled():
                stop.set()
            while self.ready and len(busy) < workers and not stop.is_set():
                r, node = self._next()
                try:
                    future = pool.submit(_settle, self.runs[r].number, node, self.before(r, node))
                except BrokenProcessPool:  # a helper died since: the panel still waits
                    self._open(r, node)
                    raise
                busy[future] = (r, node)
            self.tell()
            ended, _ = wait(busy, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in ended:
                settled = future.result()
                r, node = busy.pop(future)
                if settled is None:
                    self._open(r, node)
                else:
                    self.take(r, node, settled)


def _settled(
    replication: Replication, node: Node, before: Before, shelf: Shelf, cancelled: Cancelled
) -> Settled | None:
    """One committee in one season."""
    season, at = node
    laid = replication.laid(season, at, before)
    asked = laid.asked()
    key = key_of(asked, replication.ground.templates[at].frame)
    found = shelf.get(key, asked.limits.seconds)
    if found is None:
        found = fated(laid.problem, laid.asked, cancelled=cancelled)
    if found is None:
        return None
    return Settled(key, found, int(laid.there.sum()), laid.declined, len(asked.experts))


def _remembered(known: OrderedDict[int, Replication], setting: Setting, number: int) -> Replication:
    if number not in known:
        while len(known) >= REMEMBERED:
            known.popitem(last=False)
        known[number] = setting.replication(number)
    return known[number]


_setting: Setting
_shelf: Shelf
_stop: Any = None
_known: OrderedDict[int, Replication] = OrderedDict()


def _begin(folder: str, place: Path | None, versions: str, stop: Any) -> None:
    """A helper begins, and ends with its parent; Ctrl-C is the parent's affair."""
    global _setting, _shelf, _stop
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _setting = pickle.loads((Path(folder) / "setting").read_bytes())  # noqa: S301 - from our own parent
    _shelf = Shelf(place, versions)
    _stop = stop


def _settle(number: int, node: Node, before: Before) -> Settled | None:
    """One committee in one season, in a helper."""
    return _settled(_remembered(_known, _setting, number), node, before, _shelf, _stop.is_set)
