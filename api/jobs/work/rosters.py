"""Audits of foreign panels."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from api.jobs.job import Job, Result
from api.jobs.work.asks import AuditAsk, overrides_of
from expert_pool import clock
from expert_pool.accounts.rights import Right
from expert_pool.audits import RosterFaults
from expert_pool.audits.asking import Behind, audit_papers, audited_bytes
from expert_pool.policies.load import preset
from expert_pool.privacy import exports
from expert_pool.privacy.watermark import stamp_document
from expert_pool.runs import Attachment
from expert_pool.viewer import Viewer
from expert_pool.words import languages
from solver.progress import Progress

MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def audit(job: Job) -> Result:
    """The findings, with report and workbook in every language; or everything that is wrong with the roster."""
    ask = AuditAsk.model_validate(job.params["ask"])
    # with the registry behind it rows about experts are read; without it nothing is
    viewer = job.viewer(Right.EXPERTS_READ if ask.committee else Right.PROBLEMS_SOLVE)
    file = job.attachment
    assert file is not None
    policy = preset(ask.policy, overrides_of(ask.overrides, viewer.actor, clock.today()))
    policy.rules(ask.level)
    try:
        found = audited_bytes(
            file.content,
            ask.file,
            policy,
            ask.on,
            level=ask.level,
            registry=Behind(job.store, viewer, ask.committee, ask.purpose) if ask.committee else None,
            report=job.report,
        )
    except RosterFaults as faults:
        errors = [error.document() for error in faults.errors]
        return Result({"ok": False, "errors": errors, "audit": None})
    job.report(Progress("documents"))
    experts = () if found.registry is None else found.registry.experts
    files = _marked(job, viewer, ask, audit_papers(found, languages()), experts)
    return Result({"ok": True, "errors": [], "audit": found.model_dump(mode="json")}, files)


def _marked(
    job: Job, viewer: Viewer, ask: AuditAsk, papers: Mapping[str, bytes], experts: Collection[int]
) -> list[Attachment]:
    """The papers with their watermark, told on the ledger with the experts (ids) whom they speak of."""
    with job.store.session() as session:
        stamp = exports.begin(
            session,
            viewer,
            purpose=ask.purpose,
            content=f"roster/{job.code}",
            form="papers",
            organiser_id=job.organiser_id,
            serial=job.already("export.begun"),
        )
    files = []
    for name, content in papers.items():
        stem, _, suffix = name.rpartition(".")
        marked = stamp_document(content, f".{suffix}", stamp, stem.rpartition(".")[2])
        files.append(Attachment(name, marked, MEDIA_TYPES[suffix]))
    with job.store.session() as session:
        marks = [exports.FileMark.of(file.name, file.content) for file in files]
        exports.finish_hashed(session, viewer, stamp, marks, expert_ids=experts)
    return files
