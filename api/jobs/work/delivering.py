"""Sending the notices that are due: see `expert_pool.notices.delivering`."""

from __future__ import annotations

from dataclasses import asdict

from api.jobs.job import Job, Result
from expert_pool.notices.delivering import deliver
from expert_pool.notices.inbox import deliveries
from expert_pool.registry import Notice
from expert_pool.store import Store


def send(job: Job) -> Result:
    """Send everything that is due now; with `notice` (a test), that one first, and say what became of it."""
    settings, test = job.settings, job.params.get("notice")
    done = deliver(
        job.store,
        files=settings.files,
        private_hosts=settings.private_hosts,
        cancelled=job.cancelled,
        first=test,
    )
    return Result(asdict(done) | ({} if test is None else _outcome(job.store, test)))


def _outcome(store: Store, code: str) -> dict[str, str | None]:
    with store.reading() as session:
        found = session.execute(deliveries().where(Notice.code == code)).first()
    return {} if found is None else {"state": str(found[0].state), "trouble": found[0].trouble}
