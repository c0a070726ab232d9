"""A database with worker processes of its own, which tests kill, freeze and drain."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from typing import Any

import job_kinds
import psutil
from patience import PATIENCE, until
from sqlalchemy import func, select

from api.jobs.durable import DurableEngine
from api.jobs.pulse import Pulse
from expert_pool import ledger, runs
from expert_pool.keys import Key
from expert_pool.registry import LedgerEntry, RunRecord, RunState, WorkerRecord
from expert_pool.store import Store

KEY = Key(bytes(range(32)))
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["job_kinds", "api.jobs.worker", "dbos"])


@dataclass
class Site:
    """A database and the worker processes on it; each runs `target` with what `job_kinds.work` is given, and `more`."""

    store: Store
    engine: DurableEngine
    target: Callable[..., None] = job_kinds.work
    more: tuple[Any, ...] = ()
    workers: list[ForkServerProcess] = field(default_factory=list)
    says: dict[ForkServerProcess, job_kinds.Says] = field(default_factory=dict)

    def work(self) -> None:
        """Start one more worker process."""
        says = job_kinds.Says(PROCESSES.Event(), PROCESSES.Event())
        worker = PROCESSES.Process(
            target=self.target, args=(self.store.url, KEY.to_text(), says, *self.more), daemon=False
        )
        worker.start()
        self.workers.append(worker)
        self.says[worker] = says

    def staffed(self) -> None:
        """Wait until two workers carry runs."""
        for _ in range(2 - sum(worker.is_alive() for worker in self.workers)):
            self.work()
        for worker in self.workers:
            assert not worker.is_alive() or self.says[worker].ready.wait(PATIENCE)

    def begin(self, kind: str, *, submit: bool = True, **params: Any) -> RunRecord:
        with self.store.session() as session:
            run = runs.begin(session, None, key=KEY, kind=kind, params=params)
        if submit:
            self.engine.submit(run.code, "solve")
        return run

    def cancel(self, run: RunRecord) -> None:
        with self.store.session() as session:
            runs.cancel(session, None, run.code)
        self.engine.cancel(run.code)

    def now(self, run: RunRecord) -> RunRecord:
        with self.store.reading() as session:
            return runs.find(session, None, run.code)

    def wait(self, run: RunRecord, state: RunState) -> RunRecord:
        until(lambda: self.now(run).state is state, lambda: (self.now(run).state, self.happened(run)))
        return self.now(run)

    def happened(self, run: RunRecord) -> list[str]:
        return [kind for kind in self.told(run) if kind not in ("incumbent", "progress")]

    def told(self, run: RunRecord) -> list[str]:
        """The kinds of all events of a run."""
        with self.store.reading() as session:
            return [event.kind for event in runs.events(session, run)]

    def result(self, run: RunRecord) -> Any:
        with self.store.reading() as session:
            came = runs.outcome(session, None, runs.find(session, None, run.code), key=KEY)
        assert came is not None
        return came.result

    def carrier_of(self, run: RunRecord) -> ForkServerProcess:
        """The process that carries a run."""
        with self.store.reading() as session:
            pid = session.scalar(select(WorkerRecord.pid).where(WorkerRecord.token == self.now(run).owner))
        return next(worker for worker in self.workers if worker.pid == pid)

    def kill(self, worker: ForkServerProcess) -> None:
        """Kill a worker process; it is gone when this returns."""
        worker.kill()
        gone(worker)

    def freeze(self, worker: ForkServerProcess) -> None:
        """Stop a worker process where it holds no lock; it stands still when this returns."""
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGUSR1)
        stopped = psutil.Process(worker.pid)
        until(lambda: stopped.status() == psutil.STATUS_STOPPED, stopped.status)

    def give_up(self, still: ForkServerProcess) -> None:
        """Judge as a worker of this process: beat until the one that stands still is given up, no sooner than every other
        has beaten in between."""

        def beats() -> dict[int, int]:
            with self.store.reading() as session:
                return {worker.pid: worker.beats for worker in runs.beating(session)}

        with self.store.session() as session:
            slot = runs.enter(session)
        judge = Pulse(self.store, slot, on_lost=lambda: None)
        while still.pid in (before := beats()):
            assert judge.beat()
            others = before.keys() - {still.pid, os.getpid()}
            until(lambda before=before, others=others: all(beats().get(o) != before[o] for o in others))
        with self.store.session() as session:
            runs.leave(session, slot)

    def entries(self) -> int:
        with self.store.reading() as session:
            assert ledger.verify(session) == []
            return session.scalar(select(func.count(LedgerEntry.id))) or 0

    def close(self) -> None:
        for worker in self.workers:
            if worker.is_alive():
                worker.terminate()
        for worker in self.workers:
            worker.join(10)
            worker.kill()
            worker.join()
        self.engine.close()
        self.store.close()


def gone(worker: ForkServerProcess) -> int | None:
    """Wait for the end of a worker process; its exit code."""
    worker.join(PATIENCE)
    assert not worker.is_alive()
    return worker.exitcode
