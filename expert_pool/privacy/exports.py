"""Exports: each with a purpose, a watermark, and a ledger entry that holds the hash of every file.

Two entries: `export.begun` before the first byte is written, so that nothing leaves untold, and `export.finished` with the
hashes. An export that was begun only may have left something behind.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from expert_pool import clock, ledger
from expert_pool.directory import shown
from expert_pool.privacy.purposes import first_organiser, purpose_of
from expert_pool.privacy.watermark import Stamp, new_serial, serials_in
from expert_pool.registry import Expert, Export, ExportFile, Organiser, Rating
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault
from solver.progress import Reporter, silent

if TYPE_CHECKING:
    from expert_pool.imports.contents import Content


@dataclass(frozen=True, slots=True)
class FileMark:
    """One exported file: its name, the SHA-256 of its bytes, their number."""

    name: str
    sha256: str
    size: int

    @classmethod
    def of(cls, name: str, content: bytes) -> FileMark:
        """The mark of a file that is at hand."""
        return cls(name, sha256(content).hexdigest(), len(content))


@dataclass(frozen=True, slots=True)
class Exported:
    """One export on record."""

    serial: str
    organiser: str
    at: datetime
    actor: str
    purpose: str
    content: str
    form: str
    finished_at: datetime | None
    files: tuple[FileMark, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """Where a file came from. `exact`: its bytes are those that left; else it shows the export's serial number and was
    changed since."""

    export: Exported
    exact: bool


def export_marked(
    store: Store,
    viewer: Viewer,
    out: str | Path,
    *,
    purpose: str,
    form: str = "csv",
    lang: str = "zh",
    content: Content = "tables",
    organiser_id: int | None = None,
    serial: str | None = None,
    report: Reporter = silent,
) -> tuple[Exported, Mapping[str, int]]:
    """Export the registry's tables, or the written scores, as `imports.export_tables` does, marked and told in the ledger; with the export, say
    how many rows each sheet has. `organiser_id`: whose chain tells of it, default the viewer's first. `serial`: as `begin`.

    Raises Fault: as `begin`, `import.cannot_write`, `import.too_many_rows`, `import.form_unknown`.
    """
    from expert_pool.imports import export_tables

    place = Path(out)
    if form not in ("csv", "xlsx"):
        raise Fault("import.form_unknown", "form", value=form, allowed="csv, xlsx")
    with store.session() as session:
        stamp = begin(
            session,
            viewer,
            purpose=purpose,
            content=content,
            form=form,
            organiser_id=organiser_id,
            serial=serial,
        )
    rows = export_tables(
        store, viewer, place, form=form, lang=lang, content=content, report=report, stamp=stamp
    )
    files = [place / f"{name}.csv" for name in rows] if form == "csv" else [place]
    with store.session() as session:
        everybody = session.scalars(
            select(Expert.id).where(*shown(viewer, Expert))
            if content == "tables"
            else select(Rating.rater_id).where(*visible(viewer, Rating)).distinct()
        )
        return finish(session, viewer, stamp, files, expert_ids=everybody), rows


def begin(
    session: Session,
    viewer: Viewer,
    *,
    purpose: str,
    content: str,
    form: str,
    organiser_id: int | None = None,
    committee_id: int | None = None,
    serial: str | None = None,
) -> Stamp:
    """Write down that an export begins, and give the watermark for its files.

    `content` says what it is of: `tables`, `panel/<code>`, ... `organiser_id`: whose chain tells of it, `committee_id`:
    the committee that the viewer was delegated there, where it is one. `serial`: the export that the same work began
    before it was cut off; it is carried on, and where it had been finished (its files are lost), the ledger says that it
    was begun again. Raises Fault `privacy.purpose_missing`, `privacy.purpose_long`, `privacy.no_organiser`,
    `viewer.not_yours`, `privacy.export_unknown`.
    """
    if serial is not None:
        return _carried_on(session, viewer, serial)
    said = purpose_of(purpose)
    if organiser_id is None:
        owner = first_organiser(session, viewer)
    else:
        viewer.require(organiser_id, committee_id)
        owner = organiser_id
    export = Export(
        serial=new_serial(),
        organiser_id=owner,
        at=clock.now(),
        actor=viewer.actor,
        purpose=said,
        content=content,
        form=form,
        experts=None,
        finished_at=None,
    )
    session.add(export)
    _tell(session, viewer, export, "export.begun", [], [])
    return _stamp(export)


def finish(
    session: Session,
    viewer: Viewer,
    stamp: Stamp,
    files: Sequence[Path],
    *,
    expert_ids: Iterable[int] = (),
) -> Exported:
    """Write down what an export wrote: the hash of each file, and whom it speaks of.

    Raises Fault `privacy.export_unknown`, `privacy.export_finished`, `privacy.export_unreadable`.
    """
    return finish_hashed(session, viewer, stamp, [_hashed(path) for path in files], expert_ids=expert_ids)


def finish_hashed(
    session: Session,
    viewer: Viewer,
    stamp: Stamp,
    files: Sequence[FileMark],
    *,
    expert_ids: Iterable[int] = (),
) -> Exported:
    """As `finish`, for files that are hashed while they are streamed."""
    export = session.scalar(select(Export).where(Export.serial == stamp.serial))
    if export is None:
        raise Fault("privacy.export_unknown", stamp.serial)
    if export.finished_at is not None:
        raise Fault("privacy.export_finished", stamp.serial)
    export.experts = bitmap(expert_ids)
    export.finished_at = clock.now()
    before = select(ExportFile.name, ExportFile.sha256).where(ExportFile.export_id == export.id)
    told = {(row.name, row.sha256) for row in session.execute(before)}
    rows = [
        ExportFile(export_id=export.id, name=f.name, sha256=f.sha256, size=f.size)
        for f in files
        if (f.name, f.sha256) not in told
    ]
    session.add_all(rows)
    _tell(session, viewer, export, "export.finished", rows, files)
    return exported(session, export)


def exports(session: Session, viewer: Viewer, *, most: int = 100) -> list[Exported]:
    """The exports that the viewer's organisers tell of, the latest first."""
    rows = session.scalars(
        select(Export).where(*visible(viewer, Export)).order_by(Export.id.desc()).limit(most)
    )
    return [exported(session, row) for row in rows.all()]


def find_export(session: Session, viewer: Viewer, serial: str) -> Exported:
    """An export by its serial number. Raises Fault `privacy.export_unknown`."""
    found = session.scalar(select(Export).where(Export.serial == serial, *visible(viewer, Export)))
    if found is None:
        raise Fault("privacy.export_unknown", serial)
    return exported(session, found)


def trace_hash(session: Session, viewer: Viewer, sha256: str) -> Exported:
    """The export that a file with this hash left by. Raises Fault `privacy.export_unknown`."""
    found = session.scalar(
        select(Export)
        .where(Export.id.in_(holding(sha256)), *visible(viewer, Export))
        .order_by(Export.id)
        .limit(1)
    )
    if found is None:
        raise Fault("privacy.export_unknown", sha256)
    return exported(session, found)


def trace(session: Session, viewer: Viewer, path: Path) -> Traced:
    """Where a file came from: by its hash, else by the serial number it shows.

    Raises Fault `privacy.export_unreadable`, `privacy.trace_failed`.
    """
    mark = _hashed(path)
    try:
        return Traced(trace_hash(session, viewer, mark.sha256), exact=True)
    except Fault:
        pass
    for serial in serials_in(path):
        try:
            return Traced(find_export(session, viewer, serial), exact=False)
        except Fault:
            continue
    raise Fault("privacy.trace_failed", str(path))


def bitmap(expert_ids: Iterable[int]) -> bytes:
    """A set of ids as a deflated bitmap."""
    ids = sorted(set(expert_ids))
    bits = bytearray((ids[-1] // 8 + 1) if ids else 0)
    for identity in ids:
        bits[identity // 8] |= 1 << identity % 8
    return zlib.compress(bytes(bits))


def touches(experts: bytes | None, expert_id: int) -> bool:
    """Whether an export speaks of an expert; one that was not finished may."""
    if experts is None:
        return True
    bits = zlib.decompress(experts)
    return expert_id // 8 < len(bits) and bool(bits[expert_id // 8] >> expert_id % 8 & 1)


def holding(sha256: str) -> Select[int]:
    """The ids of exports with a file of this hash."""
    return select(ExportFile.export_id).where(ExportFile.sha256 == sha256.lower())


def exported(session: Session, export: Export) -> Exported:
    """A stored export as it is told."""
    files = session.scalars(
        select(ExportFile).where(ExportFile.export_id == export.id).order_by(ExportFile.id)
    )
    organiser = session.scalar(select(Organiser.code).where(Organiser.id == export.organiser_id))
    return Exported(
        serial=export.serial,
        organiser=organiser or "",
        at=export.at,
        actor=export.actor,
        purpose=export.purpose,
        content=export.content,
        form=export.form,
        finished_at=export.finished_at,
        files=tuple(FileMark(row.name, row.sha256, row.size) for row in files),
    )


def _carried_on(session: Session, viewer: Viewer, serial: str) -> Stamp:
    export = session.scalar(select(Export).where(Export.serial == serial, Export.actor == viewer.actor))
    if export is None:
        raise Fault("privacy.export_unknown", serial)
    if export.finished_at is not None:
        export.finished_at = None
        _tell(session, viewer, export, "export.begun", [], [])
    return _stamp(export)


def _stamp(export: Export) -> Stamp:
    return Stamp(export.serial, export.actor, export.at, export.purpose)


def _hashed(path: Path) -> FileMark:
    try:
        with path.open("rb") as file:
            return FileMark(path.name, file_digest(file, "sha256").hexdigest(), path.stat().st_size)
    except OSError as error:
        raise Fault("privacy.export_unreadable", str(path), reason=error.strerror or str(error)) from None


def _tell(
    session: Session,
    viewer: Viewer,
    export: Export,
    action: str,
    rows: Sequence[ExportFile],
    files: Sequence[FileMark],
) -> None:
    session.flush()
    ledger.append(
        session,
        organiser_id=export.organiser_id,
        actor=viewer.actor,
        action=action,
        subject=export.serial,
        payload={
            "purpose": export.purpose,
            "content": export.content,
            "form": export.form,
            "files": {file.name: file.sha256 for file in files},
        },
        rows=[export, *rows],
    )
