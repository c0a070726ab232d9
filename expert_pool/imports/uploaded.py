"""Tables that were sent instead of lying on a disk: no name the sender chose becomes a path."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from expert_pool.imports.importing import import_tables
from expert_pool.imports.report import ImportReport
from expert_pool.imports.sheets import SHEETS
from expert_pool.imports.unpacking import kind_of
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.errors import Fault
from solver.progress import Reporter, silent

_WORKBOOK = "[Content_Types].xml"


def import_bytes(
    store: Store,
    viewer: Viewer,
    content: bytes,
    name: str,
    *,
    dry_run: bool = False,
    correct: bool = False,
    organiser: str | None = None,
    report: Reporter = silent,
) -> ImportReport:
    """Bring a workbook, one CSV file, or a zip archive of CSV files into the registry, as `import_tables` does.

    The bytes tell which it is. Of `name`, and of the names in an archive, only which sheet a CSV file holds is taken
    (`experts.csv`, `专家.csv`). Raises Fault as `import_tables`, with `name` as the place, and `import.sheet_unknown_file`
    for a file in an archive that is no sheet of ours.
    """
    try:
        with TemporaryDirectory(prefix="expert-pool-") as folder:
            place = _laid(content, name, Path(folder))
            return import_tables(
                store,
                viewer,
                place,
                dry_run=dry_run,
                correct=correct,
                organiser=organiser,
                report=report,
            )
    except Fault as fault:
        if fault.code.startswith("import."):
            raise Fault(fault.code, name, **fault.params) from None
        raise


def _laid(content: bytes, name: str, folder: Path) -> Path:
    """The file, or the files of the archive, in a folder of our own."""
    suffix = kind_of(content, name)
    if suffix == ".csv":
        place = folder / f"{_sheet(name) or 'table'}.csv"
        place.write_bytes(content)
        return place
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = [part for part in archive.infolist() if not part.is_dir()]
        if any(part.filename == _WORKBOOK for part in parts):
            place = folder / "tables.xlsx"
            place.write_bytes(content)
            return place
        for part in parts:
            sheet = _sheet(part.filename)
            if sheet is None or (folder / f"{sheet}.csv").exists():
                raise Fault("import.sheet_unknown_file", name, file=PurePosixPath(part.filename).name)
            try:
                (folder / f"{sheet}.csv").write_bytes(archive.read(part))
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
                raise Fault("import.damaged", name) from None
    return folder


def _sheet(name: str) -> str | None:
    """Which sheet a file name speaks of."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.suffix.lower() != ".csv":
        return None
    from expert_pool.reevaluation.score_sheets import SCORE_SHEETS

    stem = path.stem.strip().casefold()
    sheets = [*SHEETS.values(), *SCORE_SHEETS.values()]
    return next((s.name for s in sheets if stem in (s.name.casefold(), s.zh.casefold())), None)


__all__ = ["import_bytes"]
