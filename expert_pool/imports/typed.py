"""From text cells to typed columns: which sheet it is, which column is which, and what each cell says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from expert_pool.imports.cells import plain, read_column
from expert_pool.imports.read import RawSheet
from expert_pool.imports.report import Errors
from expert_pool.imports.sheets import SHEETS, Column, Sheet


@dataclass(frozen=True, slots=True)
class TypedSheet:
    """A sheet with its cells read. Columns that the file does not have are absent from `columns`.

    `numbers` are the rows' numbers in the file, `headers` the headers as they stand there. `broken` when a
    required column is missing, so that nothing can be said about its rows.
    """

    sheet: Sheet
    numbers: Sequence[int]
    headers: Mapping[str, str]
    columns: Mapping[str, list[Any]]
    broken: bool = False

    def __len__(self) -> int:
        return len(self.numbers)

    def values(self, name: str) -> list[Any]:
        """The values of a column, all None when the file does not have it."""
        return self.columns.get(name) or [None] * len(self.numbers)

    def header(self, name: str) -> str:
        """How the file calls a column; its English name when it does not have it."""
        return self.headers.get(name, name)


def type_sheets(raws: Sequence[RawSheet], errors: Errors) -> dict[str, TypedSheet]:
    """The sheets of a file, typed, by name in the order of writing; what cannot be read goes to `errors`."""
    found: dict[str, TypedSheet] = {}
    for raw in raws:
        sheet = _which(raw, alone=len(raws) == 1)
        if sheet is None:
            near = get_close_matches(spelt(raw.title), _TITLES, 1, 0.6)
            errors.add(
                raw.title, 1, "", "import.sheet_unknown", title=raw.title, near=near[0] if near else ""
            )
        elif sheet.name in found:
            errors.add(sheet.name, 1, "", "import.sheet_twice", title=raw.title)
        else:
            found[sheet.name] = typed_sheet(raw, sheet, errors)
    return {name: found[name] for name in SHEETS if name in found}


def spelt(title: str) -> str:
    """A title or header as it is compared."""
    return plain(title).strip().rstrip("*").strip().casefold().replace(" ", "_")


_TITLES: dict[str, Sheet] = {
    spelt(title): sheet for sheet in SHEETS.values() for title in (sheet.name, sheet.zh)
}


def _spellings(sheet: Sheet) -> dict[str, Column]:
    return {spelt(header): column for column in sheet.columns for header in (column.zh, column.name)}


def _which(raw: RawSheet, alone: bool) -> Sheet | None:
    """The sheet that a title names (`experts`, `专家`, `experts-2026`); for a lone file also by its headers."""
    title = spelt(raw.title)
    if title in _TITLES:
        return _TITLES[title]
    begins = re.match(r"[a-z_]+|[\u4e00-\u9fff]+", title)
    if begins and begins[0].rstrip("_") in _TITLES:
        return _TITLES[begins[0].rstrip("_")]
    if not alone or not raw.headers:
        return None
    headers = {spelt(header) for header in raw.headers}
    fitting = []
    for sheet in SHEETS.values():
        columns = _spellings(sheet)
        required = {column.name for column in sheet.columns if column.required}
        if headers <= columns.keys() and required <= {columns[header].name for header in headers}:
            fitting.append(sheet)
    return fitting[0] if len(fitting) == 1 else None


def typed_sheet(raw: RawSheet, sheet: Sheet, errors: Errors) -> TypedSheet:
    """The rows of one sheet that is known, typed; what cannot be read goes to `errors`."""
    places, headers, broken = _headers(raw, sheet, errors)
    if raw.cut_off:
        errors.add(sheet.name, max([1, *raw.numbers]), "", "import.row_cut_off")
    width = len(raw.headers)
    rows: list[Sequence[str]] = []
    for row, number in zip(raw.rows, raw.numbers, strict=True):
        if len(row) < width:
            errors.add(sheet.name, number, "", "import.row_short", has=len(row), needs=width)
            row = [*row, *[""] * (width - len(row))]
        elif len(row) > width and any(row[width:]):
            errors.add(sheet.name, number, "", "import.row_long", has=len(row), needs=width)
        rows.append(row[:width] if len(row) > width else row)
    cells = list(zip(*rows, strict=True)) if rows else [()] * width
    columns: dict[str, list[Any]] = {}
    for column in sheet.columns:
        if column.name not in places:
            continue
        values, troubles = read_column(column, cells[places[column.name]])
        columns[column.name] = values
        for index, code, params in troubles:
            errors.add(sheet.name, raw.numbers[index], headers[column.name], code, **params)
    return TypedSheet(sheet, raw.numbers, headers, columns, broken)


def _headers(raw: RawSheet, sheet: Sheet, errors: Errors) -> tuple[dict[str, int], dict[str, str], bool]:
    """Where each column stands, what the file calls it, and whether a required one is missing."""
    if not raw.headers:
        errors.add(sheet.name, 1, "", "import.sheet_empty")
        return {}, {}, True
    known = _spellings(sheet)
    places: dict[str, int] = {}
    headers: dict[str, str] = {}
    for place, header in enumerate(raw.headers):
        column = known.get(spelt(header))
        if column is None:
            near = get_close_matches(spelt(header), known, 1, 0.5)
            code = "import.column_unknown" if header else "import.column_nameless"
            errors.add(
                sheet.name, 1, header, code, place=place + 1, near=_shown(known[near[0]]) if near else ""
            )
        elif column.name in places:
            errors.add(sheet.name, 1, header, "import.column_twice", first=headers[column.name])
        else:
            places[column.name] = place
            headers[column.name] = header
    missing = [column for column in sheet.columns if column.required and column.name not in places]
    for column in missing:
        errors.add(sheet.name, 1, _shown(column), "import.column_missing")
    return places, headers, bool(missing)


def _shown(column: Column) -> str:
    return f"{column.zh} / {column.name}"


__all__ = ["TypedSheet", "spelt", "type_sheets", "typed_sheet"]
