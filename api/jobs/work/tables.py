"""The registry's tables in and out as files."""

from __future__ import annotations

import zipfile
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.jobs.job import Job, Result
from expert_pool.accounts.rights import Right
from expert_pool.imports.contents import Content
from expert_pool.runs import Attachment

SHEETS_MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ERRORS = 1000
"""So many row errors are told; their number is told in full."""


class ImportAsk(BaseModel):
    """How a file goes in: `dry_run` judges and keeps nothing, `correct` lets rows say otherwise than the registry."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dry_run: bool = False
    correct: bool = False
    organiser: str | None = Field(default=None, max_length=200)


class ExportAsk(BaseModel):
    """What comes out, and what for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    form: str = Field(default="xlsx", pattern="^(csv|xlsx)$")
    content: Content = "tables"
    lang: str = Field(default="zh", pattern="^(zh|en)$")
    purpose: str = Field(max_length=500)


def import_(job: Job) -> Result:
    """What the import did to each sheet, or everything that is wrong with the rows. `done_before`: an earlier attempt
    wrote the rows already, so they count as the same."""
    from expert_pool.imports.uploaded import import_bytes

    ask = ImportAsk.model_validate(job.params)
    file = job.attachment
    assert file is not None
    done = import_bytes(
        job.store,
        job.viewer(Right.EXPERTS_WRITE),
        file.content,
        file.name,
        dry_run=ask.dry_run,
        correct=ask.correct,
        organiser=ask.organiser,
        report=job.report,
    )
    document: dict[str, Any] = {
        "ok": done.ok,
        "dry_run": done.dry_run,
        "sheets": [asdict(sheet) for sheet in done.sheets],
        "error_count": len(done.errors),
        "errors": [error.document() for error in done.errors[:MOST_ERRORS]],
        "done_before": bool(job.decided),
    }
    return Result(document)


def export(job: Job) -> Result:
    """Every sheet the viewer may see, with a watermark: one workbook, or an archive of CSV files."""
    from expert_pool.privacy.exports import export_marked

    ask = ExportAsk.model_validate(job.params)
    with TemporaryDirectory(prefix="expert-pool-") as folder:
        out = Path(folder) / ("tables" if ask.form == "csv" else "tables.xlsx")
        exported, rows = export_marked(
            job.store,
            job.viewer(Right.EXPERTS_EXPORT),
            out,
            purpose=ask.purpose,
            form=ask.form,
            lang=ask.lang,
            content=ask.content,
            organiser_id=job.organiser_id,
            serial=job.already("export.begun"),
            report=job.report,
        )
        file = _archived(out) if ask.form == "csv" else Attachment(out.name, out.read_bytes(), SHEETS_MEDIA)
    return Result(
        {"serial": exported.serial, "form": ask.form, "rows": dict(rows), "file": file.name}, [file]
    )


def _archived(folder: Path) -> Attachment:
    """The files of a folder as one archive."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return Attachment("tables.zip", whole.getvalue(), "application/zip")
