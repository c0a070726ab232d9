"""Forgetting runs that ended long ago, with what was asked in them and what came of it."""

from __future__ import annotations

from datetime import timedelta

from api.jobs.job import Job, Result
from expert_pool import clock, runs

SCHEDULES = timedelta(days=7)
"""How long what a schedule did can be asked for: there is much of it, and the ledger has what was decided."""


def forget(job: Job) -> Result:
    """Delete every run that ended more than `Settings.runs_days` ago, a schedule's after a week."""
    now = clock.now()
    with job.store.session() as session:
        forgotten = runs.forget(
            session,
            ended_before=now - timedelta(days=job.settings.runs_days),
            schedules_before=now - min(SCHEDULES, timedelta(days=job.settings.runs_days)),
            cancelled=job.cancelled,
        )
    return Result({"forgotten": forgotten})
