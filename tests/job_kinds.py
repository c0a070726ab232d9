"""Kinds of background work for tests, and a worker process that knows them."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from multiprocessing.synchronize import Event

from api.jobs import kinds, pulse
from api.jobs.job import Job, Result
from api.jobs.kinds import KINDS, Kind
from expert_pool import ledger
from expert_pool.registry import Organiser
from solver.errors import Fault
from solver.progress import Progress


def echo(job: Job) -> Result:
    """Gives back what it was given."""
    return Result({"params": dict(job.params)}, job.attachments)


def count(job: Job) -> Result:
    """Counts for `seconds`, better and better; stops early with what it has."""
    until, done = time.monotonic() + job.params["seconds"], 0
    while time.monotonic() < until and not job.cancelled():
        done += 1
        job.report(Progress("solve", goal="count", incumbent=-done))
        time.sleep(0.05)
    return Result({"counted": done})


def note(job: Job) -> Result:
    """Waits `seconds`, then writes one organiser and its ledger entry, which must happen once for each `name`."""
    time.sleep(job.params["seconds"])
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
    """Never looks whether it should stop."""
    time.sleep(job.params["seconds"])
    return Result({"late": True})


def drop(job: Job) -> Result:
    """The database is busy, once and again."""
    raise Fault("store.busy", "here")


def install() -> None:
    """Make the kinds known to this process."""
    for work in (echo, count, note, refuse, break_, deaf, drop):
        KINDS[f"test.{work.__name__.strip('_')}"] = Kind(f"job_kinds:{work.__name__}", kinds.SOLVE)
    KINDS["test.short"] = Kind("job_kinds:count", kinds.SOLVE, seconds=1)


def work(database: str, key: str, grace: float, ready: Event) -> None:
    """A worker process with these kinds, quicker than others in taking over, until it is told to stop."""
    from api.jobs import reaper
    from api.jobs.worker import worker_main
    from api.settings import Settings

    os.environ["EXPERT_POOL_KEY"] = key
    install()
    pulse.BEAT, reaper.TICK, reaper.PATROL, reaper.STRAYED = 0.5, 0.3, 1.0, timedelta(seconds=1)
    settings = Settings(database=database, grace_seconds=grace)
    sys.exit(worker_main(settings, schedules=(), ready=ready.set))
