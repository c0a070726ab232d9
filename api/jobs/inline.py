"""The engine without a queue: runs are carried in this process, for tests and the command line."""

from __future__ import annotations

import threading

from api.jobs.carrier import Carrier
from api.jobs.pulse import Pulse
from api.settings import Settings
from expert_pool import runs
from expert_pool.store import Store


class InlineEngine:
    """Carries a run when it is submitted: in the caller's thread, or with `background` in one of its own.

    While it carries, it holds a worker's slot, so that workers beside it leave its runs alone.
    """

    def __init__(self, store: Store, settings: Settings | None = None, *, background: bool = False) -> None:
        self._store, self._settings = store, settings or Settings()
        self._background = background
        self._threads: list[threading.Thread] = []

    def submit(self, run: str, queue: str) -> None:
        """Carry the run now; without `background` it has ended when this returns."""
        with self._store.session() as session:
            runs.submitted(session, run)
        if not self._background:
            self._carry(run)
            return
        thread = threading.Thread(target=self._carry, args=(run,), name=f"run-{run}", daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def cancel(self, run: str) -> None:
        """Nothing to do: whoever carries the run looks at its row."""

    def close(self) -> None:
        """Wait for what runs in the background."""
        for thread in self._threads:
            thread.join()

    def _carry(self, run: str) -> None:
        with self._store.session() as session:
            slot = runs.enter(session)
        try:
            with Pulse(self._store, slot, on_lost=lambda: None):
                Carrier(self._store, self._settings, slot).carry(run)
        finally:
            with self._store.session() as session:
                runs.leave(session, slot)
