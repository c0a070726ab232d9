"""Care of runs in every worker, for ever: nothing that was accepted stays undone because somebody died."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Sequence
from datetime import timedelta
from types import TracebackType

from api.jobs.announcing import announce
from api.jobs.carrier import Carrier
from api.jobs.durable import DurableEngine
from api.jobs.kinds import CARE, KINDS
from api.jobs.schedules import SCHEDULES, Schedule, due
from expert_pool import clock, runs
from expert_pool.registry import RunRecord
from expert_pool.store import Store

log = logging.getLogger("expert_pool.jobs")

LOSSES = 5
"""A run that lost so many workers fails: it may be what kills them."""
TICK = 1.0
"""Seconds between two looks for runs that lost their worker."""
PATROL = 5.0
"""Seconds between two looks for runs that went astray."""
UNSUBMITTED = timedelta(seconds=2)
STRAYED = timedelta(seconds=5)
"""How long a run waits before the engine is suspected of not knowing it, or of having lost it."""
_LOOK_FOR_DUE = 20.0
_FORGET = 60.0
_FORGOTTEN = timedelta(hours=1)


class Reaper:
    """A thread that looks after everybody's runs while the `with` block lasts.

    Each look is whole in itself and may be repeated by anybody: what one misses, or dies over, the next one meets.
    """

    def __init__(
        self,
        store: Store,
        engine: DurableEngine,
        slot: runs.Slot,
        carrier: Carrier,
        schedules: Sequence[Schedule] = SCHEDULES,
    ) -> None:
        self._store, self._engine, self._slot, self._carrier = store, engine, slot, carrier
        self._schedules = schedules
        self._dropped: frozenset[str] = frozenset()
        self._looked_at = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._reap, name="reaper", daemon=True)

    def __enter__(self) -> Reaper:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10)

    def take_over(self) -> None:
        """Take runs from workers that are gone, and tell the engine of all waiting runs it does not know of."""
        with self._store.reading() as session:
            lost = runs.lost(session)
        for run in lost:
            with self._store.session() as session:
                taken = runs.take_over(session, run, key=self._store.key, most_losses=LOSSES)
                announce(session, self._store.key, run.code)
            if taken:
                log.warning("run %s was taken from a lost worker", run.code)
        with self._store.reading() as session:
            untold = runs.unsubmitted(session, older_than=UNSUBMITTED)
        self._deliver(untold)

    def find_strays(self) -> None:
        """Tell the engine again of waiting runs that it lost, or gave to somebody who is gone."""
        with self._store.reading() as session:
            waiting = runs.waiting(session, older_than=STRAYED, after=self._looked_at)
        self._looked_at = waiting[-1].id if waiting else 0  # the next look goes on from here
        if waiting:
            stray = frozenset(self._engine.strayed([run.code for run in waiting], self._living()))
            self._deliver([run for run in waiting if run.code in stray])

    def find_dropped(self) -> None:
        """Take back runs that stand as ours while none of our threads carries them, seen twice."""
        with self._store.reading() as session:
            own = runs.held_by(session, self._slot.token)
        dropped = {run.code: run for run in own if run.code not in self._carrier.carrying}
        for code in dropped.keys() & self._dropped:
            with self._store.session() as session:
                runs.take_over(session, dropped[code], key=self._store.key, most_losses=LOSSES)
                announce(session, self._store.key, code)
        self._dropped = frozenset(dropped)

    def begin_due(self) -> None:
        """Begin what the schedules say."""
        with self._store.session() as session:
            begun = due(session, self._store.key, self._schedules)
        self._deliver(begun)

    def forget(self) -> None:
        """Delete what the engine keeps of what ended."""
        self._engine.forget(clock.now() - _FORGOTTEN, self._living())

    def _living(self) -> set[str]:
        with self._store.reading() as session:
            return {worker.name for worker in runs.beating(session)}

    def _deliver(self, waiting: Collection[RunRecord]) -> None:
        for run in waiting:
            queue = KINDS[run.kind].queue if run.kind in KINDS else CARE
            self._engine.deliver(run.code, queue)
            with self._store.session() as session:
                runs.submitted(session, run.code)

    def _reap(self) -> None:
        looks = [
            (TICK, self.take_over),
            (PATROL, self.find_strays),
            (PATROL, self.find_dropped),
            (_LOOK_FOR_DUE, self.begin_due),
            (_FORGET, self.forget),
        ]
        next_at = [0.0] * len(looks)
        while not self._over.wait(TICK):
            for number, (every, look) in enumerate(looks):
                if time.monotonic() < next_at[number] or self._over.is_set():
                    continue
                next_at[number] = time.monotonic() + every
                try:
                    look()
                except Exception as error:  # a database that is away, most often: the next look does it
                    log.warning("%s: %s", look.__name__, getattr(error, "code", type(error).__name__))
