"""Taking the registry out as the sheets that import takes in. Sealed fields come masked."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from expert_pool.imports.cells import FORMULA_STARTS
from expert_pool.imports.contents import Content, any_sheet, sheets_of
from expert_pool.imports.labels import NO, YES, spoken
from expert_pool.imports.sheets import Column, Kind, Sheet
from expert_pool.keys import Key
from expert_pool.privacy.looking import masked, masked_national_id, masked_phone
from expert_pool.privacy.watermark import Stamp, csv_line, stamp_page, stamp_workbook
from expert_pool.records import standing
from expert_pool.registry import Discipline, RatingCriterion, RatingScale
from expert_pool.store import Store
from expert_pool.viewer import Viewer, visible
from solver.errors import Fault
from solver.progress import Progress, Reporter, silent

if TYPE_CHECKING:
    from openpyxl import Workbook

CHUNK = 5_000
MOST_ROWS = 1_048_575
"""What a sheet of a workbook can hold below its headers."""

Cell = str | int | date | None


def export_tables(
    store: Store,
    viewer: Viewer,
    out: str | Path,
    *,
    form: str = "csv",
    lang: str = "zh",
    content: Content = "tables",
    report: Reporter = silent,
    stamp: Stamp | None = None,
) -> dict[str, int]:
    """Write what the viewer may see of a content: a folder of `<sheet>.csv`, or one workbook; say how many rows each sheet has.

    Records are written as they stand now: without those corrected or taken back. National IDs and phones are
    masked; import leaves masked cells empty. Everything else comes back the same when imported elsewhere. `stamp`: the
    watermark of what leaves the house; `privacy.exports.export_marked` makes it and tells the ledger.

    Raises Fault `import.cannot_write` when `out` cannot be written, `import.too_many_rows` when a workbook cannot
    hold a table, `import.form_unknown`.
    """
    place = Path(out)
    if form not in ("csv", "xlsx"):
        raise Fault("import.form_unknown", "form", value=form, allowed="csv, xlsx")
    try:
        with store.reading() as session:
            sheets = _sheets(session, viewer, store.key, lang, content, report)
            if form == "csv":
                return _write_folder(place, sheets, stamp)
            return _write_workbook(place, sheets, stamp, lang)
    except OSError as trouble:
        raise Fault("import.cannot_write", str(place), reason=trouble.strerror or str(trouble)) from None


def headers(sheet: Sheet, lang: str) -> list[str]:
    """The header row of a sheet in Chinese or English."""
    return [column.zh if lang == "zh" else column.name for column in sheet.columns]


def title(sheet: Sheet, lang: str) -> str:
    """What a workbook in `lang` calls the sheet."""
    return sheet.zh if lang == "zh" else sheet.name


Rows = tuple[Sheet, list[str], str, Iterator[list[Cell]]]


def _sheets(
    session: Session, viewer: Viewer, key: Key, lang: str, content: Content, report: Reporter
) -> Iterator[Rows]:
    codes, every = _Codes(session, viewer), sheets_of(content)
    for number, sheet in enumerate(every.values()):
        report(Progress("export", number, len(every)))
        yield sheet, headers(sheet, lang), title(sheet, lang), _rows(session, viewer, key, sheet, lang, codes)
    report(Progress("export", len(every), len(every)))


def own_rows(viewer: Viewer, table: Any) -> list[ColumnElement[bool]]:
    """Conditions under which rows of a sheet's table leave the house with the viewer."""
    from expert_pool.directory import shown  # which knows the sheets of this package

    if table is RatingCriterion:
        return [RatingCriterion.scale_id.in_(select(RatingScale.id).where(*visible(viewer, RatingScale)))]
    return shown(viewer, table)


class _Codes:
    """The codes of the things the viewer may see by id, read when first asked for; of sanctions their days."""

    def __init__(self, session: Session, viewer: Viewer) -> None:
        self._session, self._viewer = session, viewer
        self._read: dict[str, Mapping[int, Any]] = {}

    def of(self, sheet: str) -> Mapping[int, Any]:
        if sheet not in self._read:
            self._read[sheet] = self._days() if sheet == "disciplines" else self._codes(sheet)
        return self._read[sheet]

    def _codes(self, sheet: str) -> dict[int, str]:
        table: Any = any_sheet(sheet).table
        key = table.version + "/" + table.code if sheet == "specialties" else table.code
        found = self._session.execute(select(table.id, key).where(*visible(self._viewer, table)))
        return dict(found.all())

    def _days(self) -> dict[int, date]:
        """A sanction that was corrected since is known by the day of its correction."""
        rows = select(Discipline.id, Discipline.corrects_id, Discipline.holds_on).order_by(
            Discipline.id.desc()
        )
        latest: dict[int, date] = {}
        for id_, corrects, day in self._session.execute(rows):
            latest.setdefault(id_, day)
            if corrects is not None:
                latest[corrects] = latest[id_]
        return latest


def _rows(
    session: Session, viewer: Viewer, key: Key, sheet: Sheet, lang: str, codes: _Codes
) -> Iterator[list[Cell]]:
    table: Any = sheet.table
    fields = [
        getattr(
            table, f"{column.field}_sealed" if column.kind in {Kind.NATIONAL_ID, Kind.PHONE} else column.field
        )
        for column in sheet.columns
    ]
    statement = select(*fields).where(*own_rows(viewer, table)).order_by(table.id)
    if sheet.recorded:
        statement = statement.where(standing(table))
    writers = [_Writer(column, sheet, key, lang, codes) for column in sheet.columns]
    for row in session.execute(statement, execution_options={"yield_per": CHUNK}):
        yield [None if value is None else write(value) for write, value in zip(writers, row, strict=True)]


class _Writer:
    """Writes the values of one column."""

    def __init__(self, column: Column, sheet: Sheet, key: Key, lang: str, codes: _Codes) -> None:
        self._column, self._key, self._lang = column, key, lang
        referred = (
            column.to if column.kind is Kind.REFERENCE else "disciplines" if column.name == "revokes" else ""
        )
        self._codes = codes.of(referred) if referred else None

    def __call__(self, value: Any) -> Cell:
        if self._codes is not None:
            value = self._codes.get(value)
        if isinstance(value, bytes):
            plain = self._key.open(value)
            return (masked_national_id if self._column.kind is Kind.NATIONAL_ID else masked_phone)(plain)
        if isinstance(value, bool):
            words = YES if value else NO
            return words[0] if self._lang == "zh" else words[2]
        if isinstance(value, StrEnum):
            return spoken(value, self._lang)
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, str) and value.startswith(FORMULA_STARTS):
            return f"'{value}"
        return value  # type: ignore[no-any-return]


def _write_folder(place: Path, sheets: Iterator[Rows], stamp: Stamp | None) -> dict[str, int]:
    place.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for sheet, header, _, rows in sheets:
        with (place / f"{sheet.name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            counts[sheet.name] = _count(rows, writer.writerow)
            if stamp is not None:
                writer.writerow(csv_line(stamp))
    return counts


def _write_workbook(place: Path, sheets: Iterator[Rows], stamp: Stamp | None, lang: str) -> dict[str, int]:
    """Build the workbook beside `place` and put it there when it is whole."""
    import openpyxl

    with NamedTemporaryFile(dir=place.parent, prefix=place.name, delete=False) as draft:
        try:
            workbook = openpyxl.Workbook(write_only=True)
            try:
                counts = {each[0].name: _page(workbook, place, each) for each in sheets}
                if stamp is not None:
                    for page in workbook.worksheets:
                        stamp_page(page, stamp, lang)
                    stamp_workbook(workbook, stamp, lang)
            except BaseException:
                for page in workbook.worksheets:
                    page.close()  # else its generators complain later
                raise
            workbook.save(draft)
            draft.close()
            Path(draft.name).replace(place)
        finally:
            Path(draft.name).unlink(missing_ok=True)
    return counts


def _page(workbook: Workbook, place: Path, each: Rows) -> int:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    _, header, name, rows = each
    page = workbook.create_sheet(name)
    page.freeze_panes = "A2"
    bold = [WriteOnlyCell(page, cell) for cell in header]
    for cell in bold:
        cell.font = Font(bold=True)
    page.append(bold)
    count = _count(rows, page.append)
    if count > MOST_ROWS:
        raise Fault("import.too_many_rows", str(place), sheet=name, rows=count, most=MOST_ROWS)
    return count


def _count(rows: Iterator[list[Cell]], write: Any) -> int:
    count = 0
    for row in rows:
        write(row)
        count += 1
    return count


__all__: Sequence[str] = ["export_tables", "headers", "masked", "own_rows", "title"]
