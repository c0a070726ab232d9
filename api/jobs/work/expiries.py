"""Telling what ends soon: see `expert_pool.notices.expiries`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from api.jobs.job import Job, Result
from expert_pool.notices.expiries import LOOKS, tell_expiries
from solver.errors import Fault

WHAT: Mapping[str, tuple[str, ...]] = {
    "training": ("training.expiring",),
    "terms": ("term.ending",),
    "filings": ("filing.expiring",),
    "credit": ("credit.low",),
    "reevaluations": ("reevaluation.due",),
    "cycles": ("cycle.reply_ending", "cycle.overdue"),
    "panels": ("panel.opens",),
    "all": tuple(LOOKS),
}
"""What the parameter `what` may say, and the kinds of notice it means."""


def look(job: Job) -> Result:
    """Tell what ends soon and was not told yet: `what` of it (default all).

    Raises Fault `notices.what_malformed` when `what` is none of `WHAT`.
    """
    what = str(job.params.get("what", "all"))
    if what not in WHAT:
        raise Fault("notices.what_malformed", "what", given=what, known=sorted(WHAT))
    told = tell_expiries(job.store, WHAT[what], report=job.report, cancelled=job.cancelled)
    return Result({"told": asdict(told)})
