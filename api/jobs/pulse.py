"""A worker's heartbeat, and its judgement of others'."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from expert_pool import runs
from expert_pool.store import Store
from solver.errors import Fault

log = logging.getLogger("expert_pool.jobs")

BEAT = 1.0
"""Seconds between two beats."""
STILL = 6
"""A worker that stood still through so many of our own beats is given up."""


class Pulse:
    """A thread that beats for a slot while the `with` block lasts, and gives up workers that do not beat.

    No clocks are compared: another worker is given up when it stood still while we beat `STILL` times. Whatever keeps
    us from beating (a database that is busy or away) therefore never makes others look dead. A worker whose process
    this machine knows to be gone is given up at once. `on_lost` is called when we were given up ourselves, or the
    installation's key was rotated under us.
    """

    def __init__(
        self, store: Store, slot: runs.Slot, on_lost: Callable[[], None], *, every: float | None = None
    ) -> None:
        self._store, self._slot, self._on_lost, self._every = store, slot, on_lost, every or BEAT
        self._over = threading.Event()
        self._seen: dict[str, tuple[int, int]] = {}
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self.draining = False

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def beat(self) -> bool:
        """One beat; False when others gave us up."""
        with self._store.session() as session:
            if not runs.beat(session, self._slot, draining=self.draining):
                return False
            seen: dict[str, tuple[int, int]] = {}
            for worker in runs.beating(session):
                if worker.token == self._slot.token:
                    continue
                beats, still = self._seen.get(worker.token, (-1, 0))
                still = still + 1 if beats == worker.beats else 0
                if (still >= STILL or runs.vanished(worker)) and runs.remove(session, worker):
                    log.warning("worker %s is gone", worker.name)
                    continue
                seen[worker.token] = (worker.beats, still)
        self._seen = seen
        return True

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            try:
                if not self.beat():
                    log.error("worker %s was given up by others", self._slot.name)
                    self._on_lost()
                    return
            except Fault as fault:
                if fault.code == "key.rotated":  # nothing can be written with the key this process has
                    log.error("worker %s has the key from before a rotation", self._slot.name)
                    self._on_lost()
                    return
                log.warning("no heartbeat: %s", fault.code)
