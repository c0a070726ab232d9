"""The report on a pool as files that leave over the network: with a purpose, a watermark, and two entries in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from expert_pool.documents.reevaluation_report import write_report
from expert_pool.privacy import exports
from expert_pool.privacy.purposes import purpose_of
from expert_pool.privacy.watermark import stamp_document
from expert_pool.reevaluation.evaluating import Cancelled, Evaluation, evaluate
from expert_pool.reevaluation.organisation_scheme import load_organisation_scheme
from expert_pool.reevaluation.organisations import appraise_organisations
from expert_pool.reevaluation.scheme import Scheme
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.progress import Progress, Reporter, silent

MEDIA_TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
ORGANISATIONS = "own-default"
"""The scheme that committees and organisers are appraised by in a report."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """One file of a report; its name tells the folder too (`charts-ages.svg`)."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class MarkedReport:
    """A report that left by one export (`serial`), and what it tells of. Of an empty pool there are no files."""

    evaluation: Evaluation
    files: tuple[ReportFile, ...]
    serial: str | None


def report_marked(
    store: Store,
    viewer: Viewer,
    pool: str,
    scheme: Scheme,
    as_of: date,
    *,
    purpose: str,
    lang: str,
    against: Scheme | None = None,
    replications: int = 0,
    seed: int = 0,
    serial: str | None = None,
    report: Reporter = silent,
    cancelled: Cancelled = lambda: False,
) -> MarkedReport:
    """Evaluate a pool (code) and write the report in a language, marked. `serial`: as `exports.begin`.

    Raises Fault as `evaluate` and `exports.begin`.
    """
    said = purpose_of(purpose)
    found = evaluate(
        store,
        viewer,
        pool,
        scheme,
        as_of,
        against=against,
        replications=replications,
        seed=seed,
        report=report,
        cancelled=cancelled,
    )
    if not len(found.appraisal):
        return MarkedReport(found, (), None)
    with store.reading() as session:
        organisations = appraise_organisations(
            session, viewer, load_organisation_scheme(ORGANISATIONS), as_of
        )
    report(Progress("documents"))
    with store.session() as session:
        stamp = exports.begin(
            session,
            viewer,
            purpose=said,
            content=f"reevaluation/{pool}",
            form="papers",
            organiser_id=found.appraisal.organiser_id,
            serial=serial,
        )
    files: list[ReportFile] = []
    with TemporaryDirectory(prefix="expert-pool-") as folder:
        home = Path(folder)
        for path in write_report(home, found.appraisal, found.measured, found.health, organisations, lang):
            name = "-".join(path.relative_to(home).parts)
            marked = stamp_document(path.read_bytes(), path.suffix, stamp, lang)
            files.append(ReportFile(name, marked, MEDIA_TYPES.get(path.suffix, "application/octet-stream")))
    with store.session() as session:
        marks = [exports.FileMark.of(file.name, file.content) for file in files]
        exports.finish_hashed(session, viewer, stamp, marks, expert_ids=found.appraisal.ids.tolist())
    return MarkedReport(found, tuple(files), stamp.serial)
