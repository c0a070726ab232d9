"""Kinds of background work for tests, and a worker process that knows them. Nothing here ends by the clock: who holds a run
under way opens its `gate`, the path of a file, by making it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Pool, event

from api.jobs import kinds, pulse
from api.jobs.job import Job, Result
from api.jobs.kinds import KINDS, Kind
from expert_pool import ledger
from expert_pool.registry import Organiser
from solver.errors import Fault
from solver.progress import Progress


class Says(NamedTuple):
    """What a worker process says of itself: that it carries runs; that it was told to stop, and begins nothing more."""

    ready: Event
    stopping: Event


def echo(job: Job) -> Result:
    """Gives back what it was given."""
    return Result({"params": dict(job.params)}, job.attachments)


def count(job: Job) -> Result:
    """Counts, better and better, until its gate is open; stops early with what it has."""
    done = 0
    while not (_open(job) or job.cancelled()):
        done += 1
        job.report(Progress("solve", goal="count", incumbent=-done))
        time.sleep(0.05)
    return Result({"counted": done})


def note(job: Job) -> Result:
    """Waits at its gate, if any, then writes one organiser and its ledger entry, which must happen once for each `name`."""
    while "gate" in job.params and not _open(job):
        time.sleep(0.02)
    with job.store.session() as session:
        organiser = Organiser(code=job.params["name"], name=job.params["name"], parent_id=None)
        session.add(organiser)
        session.flush()
        ledger.append(
            session,
            organiser_id=organiser.id,
            actor="office",
            action="noted",
            subject=organiser.code,
            payload={},
        )
    if job.params.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    return Result({"noted": job.params["name"]})


def refuse(job: Job) -> Result:
    """Input that cannot be used."""
    raise Fault("panels.panel_unknown", "P1", reason="so")


def break_(job: Job) -> Result:
    """A fault of the program, whose message must not get out."""
    raise ValueError(job.params["name"])


def deaf(job: Job) -> Result:
    """Waits at its gate and never looks whether it should stop."""
    while not _open(job):
        time.sleep(0.02)
    return Result({"late": True})


def drop(job: Job) -> Result:
    """The database is busy, once and again."""
    raise Fault("store.busy", "here")


def _open(job: Job) -> bool:
    return "gate" in job.params and Path(job.params["gate"]).exists()


def install() -> None:
    """Make the kinds known to this process."""
    for work in (echo, count, note, refuse, break_, deaf, drop):
        KINDS[f"test.{work.__name__.strip('_')}"] = Kind(f"job_kinds:{work.__name__}", kinds.SOLVE)
    KINDS["test.short"] = Kind("job_kinds:count", kinds.SOLVE, seconds=1)


def work(database: str, key: str, says: Says) -> None:
    """A worker process with these kinds, until it is told to stop. It makes nothing ready for a first solve, looks after
    the runs of others sooner than most, and takes nobody for dead that is slow: of a worker that stands still, a test
    judges (`job_site.Site.give_up`). SIGUSR1 freezes it."""
    from api.jobs import reaper, worker
    from api.settings import Settings

    os.environ["EXPERT_POOL_KEY"] = key
    install()
    pulse.BEAT, pulse.STILL = 0.3, 1_000_000
    reaper.TICK, reaper.PATROL, reaper.STRAYED = 0.3, 1.0, timedelta(seconds=1)
    land = worker.land

    def landing(seconds: float) -> None:
        says.stopping.set()
        land(seconds)

    worker.land = landing
    worker._warm = lambda: None  # it takes longer than most tests
    _freeze_when_told()
    settings = Settings(database=database, grace_seconds=600)
    sys.exit(worker.worker_main(settings, schedules=(), ready=says.ready.set))


def _freeze_when_told() -> None:
    """SIGUSR1 stops this process when it holds no connection: whoever is stopped in the middle of a transaction holds its
    locks, and so everybody else."""
    moved, taken, own, freezing = threading.Condition(), 0, threading.local(), False

    def take(*_: Any) -> None:
        nonlocal taken
        with moved:
            if not getattr(own, "taken", 0):
                moved.wait_for(lambda: not freezing)
            taken, own.taken = taken + 1, getattr(own, "taken", 0) + 1

    def give(*_: Any) -> None:
        nonlocal taken
        with moved:
            taken, own.taken = taken - 1, getattr(own, "taken", 0) - 1
            moved.notify_all()

    def freeze() -> None:
        nonlocal freezing
        with moved:
            freezing = True
            moved.wait_for(lambda: not taken)
            os.kill(os.getpid(), signal.SIGSTOP)
            freezing = False
            moved.notify_all()

    event.listen(Pool, "checkout", take)
    event.listen(Pool, "checkin", give)
    event.listen(Pool, "detach", give)  # dbos's own, on which it hears what happens
    told: Callable[..., None] = lambda *_: threading.Thread(target=freeze, daemon=True).start()  # noqa: E731
    signal.signal(signal.SIGUSR1, told)
