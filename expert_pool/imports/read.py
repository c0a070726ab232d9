"""From a file to its sheets as plain text cells: a folder of CSV files, one CSV file, or one workbook."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from expert_pool.imports.sheets import EXPLANATION
from expert_pool.imports.unpacking import MOST_BYTES, refuse_bombs
from expert_pool.privacy.watermark import MARK_SHEET, is_mark
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class RawSheet:
    """A sheet as it stands in the file: its title, the header cells, and the cells of each row that is not blank.

    `numbers` holds each row's number as a spreadsheet shows it. `cut_off` when the file ends inside a row.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]
    cut_off: bool = False


def read_sheets(path: Path) -> list[RawSheet]:
    """The sheets of `path`.

    Raises Fault when there is nothing to read, or a file is damaged, too large, or in no encoding we know.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv")
        if not files:
            raise Fault("import.folder_without_csv", str(path))
        return [_csv(file) for file in files]
    if not path.is_file():
        raise Fault("import.no_such_file", str(path))
    if path.suffix.lower() == ".csv":
        return [_csv(path)]
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        return list(_workbook(path))
    raise Fault("import.unknown_kind_of_file", str(path), suffix=path.suffix)


def _csv(path: Path) -> RawSheet:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Fault("import.too_large", str(path), bytes=size, most=MOST_BYTES)
    text = _decoded(path.read_bytes(), path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Sequence[str]] = []
    cut_off = False
    try:
        rows.extend(reader)
    except csv.Error as trouble:
        cut_off = "unexpected end" in str(trouble)
        if not cut_off:
            raise Fault("import.csv_malformed", f"{path}:{reader.line_num}") from None
    return _sheet(path.stem, rows, cut_off)


def _decoded(data: bytes, path: Path) -> str:
    if b"\0" not in data:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as trouble:
                if encoding == "utf-8-sig" and _ends_inside_a_character(data, trouble):
                    raise Fault("import.cut_off", str(path)) from None
    raise Fault("import.encoding", str(path))


def _ends_inside_a_character(data: bytes, trouble: UnicodeDecodeError) -> bool:
    """Whether all of it was UTF-8, with Chinese in it, but for a last character that lacks bytes."""
    if len(data) - trouble.start > 3 or data[: trouble.start].isascii():
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _workbook(path: Path) -> Iterator[RawSheet]:
    import openpyxl

    try:
        refuse_bombs(path, str(path))
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in workbook.worksheets:
                if sheet.title in {*EXPLANATION.values(), *MARK_SHEET.values()}:
                    continue
                sheet.reset_dimensions()
                raw = _even(_sheet(sheet.title, _cells(sheet.iter_rows(values_only=True))))
                if any(raw.headers) or raw.rows:
                    yield raw
        finally:
            workbook.close()
    except Fault:
        raise
    except Exception:  # openpyxl lets anything through that a damaged file can cause
        raise Fault("import.damaged", str(path)) from None


def _cells(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    return ([written(cell) for cell in row] for row in rows)


def _even(raw: RawSheet) -> RawSheet:
    """A workbook leaves out empty cells at the end of a row; here they stand again."""
    width = len(raw.headers)
    rows = [row if len(row) >= width else [*row, *[""] * (width - len(row))] for row in raw.rows]
    return replace(raw, rows=rows)


def _sheet(title: str, rows: Iterable[Sequence[str]], cut_off: bool = False) -> RawSheet:
    lines = iter(rows)
    headers = [cell.strip() for cell in next(lines, ())]
    while headers and not headers[-1]:
        headers.pop()
    kept: list[Sequence[str]] = []
    numbers: list[int] = []
    for number, row in enumerate(lines, 2):
        if any(row) and not is_mark(row):
            kept.append(row)
            numbers.append(number)
    return RawSheet(title.strip(), headers, kept, numbers, cut_off)


def written(cell: Any) -> str:
    """What a cell of a workbook shows, as text that `cells` reads back."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


__all__ = ["MOST_BYTES", "RawSheet", "read_sheets", "written"]
