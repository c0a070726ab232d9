"""Letting go what the retention rules say is over: the scheduled work."""

from __future__ import annotations

from dataclasses import asdict

from api.jobs.job import Job, Result
from expert_pool.accounts.rights import Right
from expert_pool.privacy.retention import load_retention
from expert_pool.privacy.sweeping import sweep


def apply(job: Job) -> Result:
    """Propose or carry out the erasures that are due, and empty and delete what else is over. With `dry_run` among its
    parameters only say so. What an earlier attempt did is found done."""
    viewer = job.viewer(Right.SERVICE_OPERATE)
    dry_run = job.params.get("dry_run") is True
    done = sweep(job.store, viewer, load_retention(), dry_run=dry_run, cancelled=job.cancelled)
    return Result(asdict(done))
