"""One sheet as CSV or as a workbook in pieces, while it is read: nothing grows with the table, and no transaction stays open between the
pieces, so that a slow reader holds up nobody.

Records are told as they stood when the stream began: what was recorded later is left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from expert_pool import clock
from expert_pool.imports.cells import FORMULA_STARTS
from expert_pool.imports.contents import CONTENTS, sheets_of
from expert_pool.imports.exporting import headers, own_rows, title
from expert_pool.imports.labels import NO, YES, spoken
from expert_pool.imports.sheets import Kind, Sheet
from expert_pool.imports.streamed_workbook import StreamedWorkbook
from expert_pool.privacy.watermark import Stamp, csv_line
from expert_pool.records import standing
from expert_pool.rows import telling, told
from expert_pool.store import Store
from expert_pool.viewer import Viewer
from solver.errors import Fault

CHUNK = 2_000


def sheet_named(name: str) -> Sheet:
    """A sheet by its name. Raises Fault `entering.sheet_unknown`."""
    every = {sheet.name: sheet for content in CONTENTS for sheet in sheets_of(content).values()}
    if name not in every:
        raise Fault("entering.sheet_unknown", name, known=list(every))
    return every[name]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file, and the ids of the rows that are in them."""

    content: bytes
    ids: Sequence[int] = ()


def csv_pieces(store: Store, viewer: Viewer, sheet: Sheet, *, lang: str, stamp: Stamp) -> Iterator[Piece]:
    """The CSV of a sheet in pieces; the stamp is its last line. As `export_tables` writes it: what stands, the viewer's,
    sealed fields masked, no cell that a spreadsheet takes for a formula."""
    yield Piece("\ufeff".encode() + _lines([headers(sheet, lang)]))
    for rows, ids in _parts(store, viewer, sheet, lang):
        yield Piece(_lines(rows), ids)
    yield Piece(_lines([csv_line(stamp)]))


def workbook_pieces(
    store: Store, viewer: Viewer, sheet: Sheet, *, lang: str, stamp: Stamp
) -> Iterator[Piece]:
    """The same as a workbook of one page, stamped in its header. Raises Fault `import.too_many_rows` when it is full,
    which cuts the file off."""
    book = StreamedWorkbook(title(sheet, lang), stamp.sentence(lang))
    book.row(headers(sheet, lang))
    for rows, ids in _parts(store, viewer, sheet, lang):
        for row in rows:
            book.row(row)
        yield Piece(book.taken(), ids)
    book.close()
    yield Piece(book.taken())


def _parts(
    store: Store, viewer: Viewer, sheet: Sheet, lang: str
) -> Iterator[tuple[list[list[Any]], list[int]]]:
    moment, last = clock.now(), 0
    while True:
        rows, ids = _part(store, viewer, sheet, lang, last, moment)
        if rows:
            yield rows, ids
            last = ids[-1]
        if len(rows) < CHUNK:
            return


def _part(
    store: Store, viewer: Viewer, sheet: Sheet, lang: str, after: int, moment: datetime
) -> tuple[list[list[Any]], list[int]]:
    tells = telling(sheet.name)
    table = tells.table
    conditions = own_rows(viewer, table)
    if sheet.recorded:
        conditions.append(standing(table, moment))
    statement = tells.statement.where(table.id > after, *conditions).order_by(table.id).limit(CHUNK)
    with store.reading() as session:
        found = session.execute(statement).all()
        days = _revoked_days(session, sheet, found)
    told_rows = [told(row, sheet, store.key) for row in found]
    rows = [
        [
            _cell(
                days.get(row[column.name]) if column.name == "revokes" else row[column.name],
                column.kind,
                lang,
            )
            for column in sheet.columns
        ]
        for row in told_rows
    ]
    return rows, [row["number"] for row in told_rows]


def _revoked_days(session: Any, sheet: Sheet, rows: Sequence[Any]) -> dict[int, Any]:
    """A revocation names what it revokes by the day that began."""
    if sheet.name != "disciplines":
        return {}
    table: Any = sheet.table
    ids = {row.revokes for row in rows if row.revokes is not None}
    return dict(session.execute(select(table.id, table.holds_on).where(table.id.in_(ids))).all())


def _cell(value: Any, kind: Kind, lang: str) -> Any:
    if value is None:
        return ""
    if kind is Kind.BOOLEAN:
        words = YES if value else NO
        return words[0] if lang == "zh" else words[2]
    if kind is Kind.CHOICE:
        return spoken(value, lang)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, str) and value.startswith((*FORMULA_STARTS, "\t", "\r")):
        return f"'{value}"
    return value


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


__all__ = ["Piece", "csv_pieces", "sheet_named", "workbook_pieces"]
