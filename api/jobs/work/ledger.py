"""The ledger's verification: what was found, as the caller may see it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from api.jobs.job import Job, Result
from expert_pool import ledger
from expert_pool.accounts.rights import Right
from expert_pool.ledger import Verdict
from expert_pool.registry import Organiser
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from expert_pool.words import say
from solver.progress import Progress

MOST_FAULTS = 500
"""So many faults are told one by one."""


def verify(job: Job) -> Result:
    """Whether everything is as it was written, of one snapshot. Parameters: `anchor` (or None), `lang`."""
    viewer = job.viewer(Right.LEDGER_READ)
    job.report(Progress("ledger"))
    with ledger.settled(job.store) as session:
        verdict = ledger.judge(
            session, anchor=job.params["anchor"], report=job.report, cancelled=job.cancelled
        )
    return Result(told(job.store, viewer, verdict, job.params["lang"]))


def told(store: Store, viewer: Viewer, verdict: Verdict, lang: str) -> dict[str, Any]:
    """A verdict as a document: faults of chains that are not the viewer's are counted only."""
    with store.reading() as session:
        codes = dict(session.execute(select(Organiser.id, Organiser.code)).all())
    mine = [
        fault
        for fault in verdict.faults
        if viewer.organisers is None or fault.organiser_id is None or viewer.owns(fault.organiser_id)
    ]
    return {
        "holds": not verdict.faults,
        "entries": verdict.entries,
        "anchor": verdict.anchor,
        "faults": [
            {
                "code": fault.code,
                "message": say(fault.code, lang, **fault.params),
                "organiser": None if fault.organiser_id is None else codes.get(fault.organiser_id),
                "sequence": fault.sequence,
                "table": fault.table,
                "row": fault.row_id,
            }
            for fault in mine[:MOST_FAULTS]
        ],
        "elsewhere": len(verdict.faults) - len(mine),
    }
