"""A database with worker processes of its own, which tests kill, freeze and drain."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event
from typing import Any

import job_kinds
from sqlalchemy import func, select

from api.jobs.durable import DurableEngine
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
    starting: list[Event] = field(default_factory=list)

    def work(self) -> None:
        """Start one more worker process."""
        ready = PROCESSES.Event()
        worker = PROCESSES.Process(
            target=self.target, args=(self.store.url, KEY.to_text(), 5.0, ready, *self.more), daemon=False
        )
        worker.start()
        self.workers.append(worker)
        self.starting.append(ready)

    def staffed(self) -> None:
        """Wait until two workers carry runs."""
        for _ in range(2 - sum(worker.is_alive() for worker in self.workers)):
            self.work()
        while self.starting:
            assert self.starting.pop().wait(60)

    def begin(self, kind: str, *, submit: bool = True, **params: Any) -> RunRecord:
        with self.store.session() as session:
            run = runs.begin(session, None, key=KEY, kind=kind, params=params)
        if submit:
            self.engine.submit(run.code, "solve")
        return run

    def now(self, run: RunRecord) -> RunRecord:
        with self.store.reading() as session:
            return runs.find(session, None, run.code)

    def wait(self, run: RunRecord, *states: RunState, seconds: float = 20) -> RunRecord:
        until = time.monotonic() + seconds
        while (now := self.now(run)).state not in states:
            assert time.monotonic() < until, (now.state, self.happened(run))
            time.sleep(0.05)
        return now

    def happened(self, run: RunRecord) -> list[str]:
        with self.store.reading() as session:
            said = runs.events(session, run)
        return [event.kind for event in said if event.kind not in ("incumbent", "progress")]

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
