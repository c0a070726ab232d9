"""Beside a run's work: writes down what it reports, and tells it when to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Any

from api.jobs.announcing import announce
from expert_pool import clock, runs
from expert_pool.store import Store
from solver.errors import Fault
from solver.progress import Progress

log = logging.getLogger("expert_pool.jobs")

LOOK = 0.25
"""Seconds between two looks at the run table."""
GAP = 0.1
"""Seconds between two writings at least."""
PATIENCE = 30.0
"""Seconds that work may go on after it was told to stop; then the run ends without it."""


class Stop(StrEnum):
    """Why work has to stop."""

    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    SUPERSEDED = "superseded"


class Attendant:
    """A thread that lives as long as a `with` block around the work.

    `report` takes progress from any thread and writes it as events of the run: each incumbent, of the rest the latest.
    `cancelled` turns true when somebody asked for the end, when the `deadline` passed, or when the run was taken over.
    Work that goes on all the same loses the run after `patience` seconds.
    """

    def __init__(
        self, store: Store, hold: runs.Hold, deadline: datetime, *, patience: float | None = None
    ) -> None:
        self._store, self._hold, self._deadline, self._patience = store, hold, deadline, patience or PATIENCE
        self._lock = threading.Lock()
        self._incumbents: list[Mapping[str, Any]] = []
        self._progress: Mapping[str, Any] | None = None
        self._wake = threading.Event()
        self._over = threading.Event()
        self._stop: Stop | None = None
        self._told = 0.0
        self._thread = threading.Thread(target=self._attend, name=f"attendant-{hold.code}", daemon=True)

    def __enter__(self) -> Attendant:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._wake.set()
        self._thread.join()

    @property
    def stop(self) -> Stop | None:
        """Why the work has to stop; None while it may go on."""
        return self._stop

    def cancelled(self) -> bool:
        """Whether the work has to stop."""
        return self._stop is not None

    def report(self, progress: Progress) -> None:
        """Take note of progress; written down within moments."""
        data = {name: value for name, value in asdict(progress).items() if value is not None}
        with self._lock:
            if progress.incumbent is not None:
                if not self._incumbents or self._incumbents[-1] != data:
                    self._incumbents.append(data)
            else:
                self._progress = data
        self._wake.set()

    def look(self) -> None:
        """Ask the run table now whether the work has to stop."""
        with self._store.reading() as session:
            asked = runs.standing(session, self._hold)
        if asked is None:
            self._tell(Stop.SUPERSEDED)
        elif asked:
            self._tell(Stop.CANCELLED)
        elif clock.now() >= self._deadline:
            self._tell(Stop.DEADLINE)

    def _attend(self) -> None:
        looked = 0.0
        while not self._over.is_set():
            try:
                if time.monotonic() - looked >= LOOK:
                    looked = time.monotonic()
                    self.look()
                self._write()
                if self._stop is not None and time.monotonic() - self._told > self._patience:
                    self._give_up()
            except runs.Superseded:
                self._tell(Stop.SUPERSEDED)
            except Fault as fault:  # the database is busy or away: try again
                log.warning("run %s: %s", self._hold.code, fault.code)
            self._over.wait(GAP)
            self._wake.wait(max(0.0, LOOK - GAP))
            self._wake.clear()
        try:
            self._write()
        except (runs.Superseded, Fault) as trouble:
            log.warning("run %s: last events not written: %s", self._hold.code, type(trouble).__name__)

    def _write(self) -> None:
        with self._lock:
            incumbents, progress = self._incumbents, self._progress
            self._incumbents, self._progress = [], None
        if not incumbents and progress is None:
            return
        try:
            with self._store.session() as session:
                for data in incumbents:
                    runs.event(session, self._hold, "incumbent", data)
                if progress is not None:
                    runs.event(session, self._hold, "progress", progress)
        except Fault:
            with self._lock:
                self._incumbents[:0] = incumbents
                self._progress = self._progress or progress
            raise

    def _tell(self, why: Stop) -> None:
        if self._stop is None:
            self._told = time.monotonic()
        if self._stop is not Stop.SUPERSEDED:
            self._stop = why

    def _give_up(self) -> None:
        """End the run without its work, which can write nothing for it from then on."""
        if self._stop is Stop.SUPERSEDED:
            return
        with self._store.session() as session:
            fault = Fault("runs.did_not_stop", self._hold.code, seconds=round(self._patience))
            runs.fail(
                session,
                self._hold,
                key=self._store.key,
                fault=fault,
                cancelled=self._stop is Stop.CANCELLED,
            )
            announce(session, self._store.key, self._hold.code)
        self._tell(Stop.SUPERSEDED)
