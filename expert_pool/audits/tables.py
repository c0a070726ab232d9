"""From the sheets of a file to typed columns: which sheet is which, where its header row stands, what each cell says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from expert_pool.audits.layout import PAGES, Heading, Page
from expert_pool.audits.values import read_cells, same_text
from expert_pool.imports.read import RawSheet
from expert_pool.imports.report import Errors
from solver.answer import Saying

_DEEPEST_HEADER = 10
"""A header row is looked for among so many rows; above it stands a title."""


class Faults(Errors):
    """What is wrong with a roster: of each cell the first thing found, as the others may follow from it."""

    def __init__(self) -> None:
        super().__init__()
        self._places: set[tuple[str, int, str]] = set()

    def add(self, sheet: str, row: int, column: str, code: str, **params: Any) -> None:
        if (sheet, row, column) not in self._places:
            self._places.add((sheet, row, column))
            super().add(sheet, row, column, code, **params)

    @property
    def of_headers(self) -> bool:
        """Whether a sheet or a column is at fault, so that nothing can be said of rows."""
        return any(row == 1 for _, row, _ in self._places)


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet with its cells read: `title` and `headers` as the file has them, `numbers` its rows' numbers."""

    page: Page
    title: str
    headers: Mapping[str, str]
    numbers: Sequence[int]
    columns: Mapping[str, list[Any]]

    def __len__(self) -> int:
        return len(self.numbers)

    def get(self, name: str, row: int) -> Any:
        """A value; None where it is unknown or the file does not have the column."""
        return self.columns[name][row] if name in self.columns else None

    def header(self, name: str) -> str:
        return self.headers.get(name, self.page.heading(name).shown)

    def wrong(self, errors: Faults, row: int, column: str, code: str, /, **params: Any) -> None:
        """Say that a cell of a row (counted from 0) is at fault."""
        errors.add(self.title, self.numbers[row], self.header(column), code, **params)


def tables_of(raws: Sequence[RawSheet], errors: Faults) -> tuple[dict[str, Table], list[Saying]]:
    """The sheets that are known, by name, and notes on what was not read. A file with one sheet is the list of people
    whatever its title."""
    found: dict[str, Table] = {}
    notes: list[Saying] = []
    unread = []
    for raw in raws:
        page = PAGES["people"] if len(raws) == 1 else _page(raw.title)
        if page is None:
            unread.append(raw.title)
        elif page.name in found:
            errors.add(raw.title, 1, "", "import.sheet_twice", title=raw.title)
        else:
            table, ignored = _read(_headed(raw, page), page, errors)
            found[page.name] = table
            if ignored:
                notes.append(
                    Saying(code="audit.note.columns_unread", params={"sheet": raw.title, "columns": ignored})
                )
    if unread:
        notes.append(Saying(code="audit.note.sheets_unread", params={"sheets": unread}))
    if "people" not in found:
        errors.add(", ".join(unread) or "-", 1, "", "audit.no_people", title=PAGES["people"].zh)
    return found, notes


def _page(title: str) -> Page | None:
    names = {same_text(name): page for page in PAGES.values() for name in (page.name, page.zh, *page.also)}
    return names.get(same_text(title))


def _spellings(page: Page) -> dict[str, Heading]:
    spelt: dict[str, Heading] = {}
    for heading in page.headings:
        for name in (heading.name, heading.zh, *heading.also):
            spelt.setdefault(_spelt(name), heading)
    return spelt


def _spelt(header: str) -> str:
    return same_text(header).strip("*").replace("_", " ")


def _headed(raw: RawSheet, page: Page) -> RawSheet:
    """The sheet from its header row on: of the first rows the one with the most headers that are known."""
    known = _spellings(page)
    lines = [raw.headers, *raw.rows[:_DEEPEST_HEADER]]
    best = max(range(len(lines)), key=lambda i: (sum(_spelt(cell) in known for cell in lines[i]), -i))
    if best == 0:
        return raw
    headers = [cell.strip() for cell in lines[best]]
    return replace(raw, headers=headers, rows=raw.rows[best:], numbers=raw.numbers[best:])


def _read(raw: RawSheet, page: Page, errors: Faults) -> tuple[Table, list[str]]:
    """The table, and the headers of columns that are not read."""
    known = _spellings(page)
    at: dict[str, int] = {}
    headers: dict[str, str] = {}
    ignored: list[str] = []
    for place, header in enumerate(raw.headers):
        heading = known.get(_spelt(header))
        if heading is None:
            ignored += [header] if header else []
        elif heading.name in at:
            errors.add(raw.title, 1, header, "import.column_twice", first=headers[heading.name])
        else:
            at[heading.name], headers[heading.name] = place, header
    for heading in page.headings:
        if heading.required and heading.name not in at:
            near = get_close_matches(heading.zh, ignored, 1, 0.5)
            errors.add(raw.title, 1, heading.shown, "audit.column_missing", near=near[0] if near else None)
    for names in page.one_of:
        if not at.keys() & set(names):
            shown = [page.heading(name).shown for name in names]
            errors.add(raw.title, 1, shown[0], "audit.columns_missing", columns=shown)
    columns: dict[str, list[Any]] = {}
    for heading in page.headings:
        if heading.name in at:
            place = at[heading.name]
            cells = [row[place] if place < len(row) else "" for row in raw.rows]
            columns[heading.name], troubles = read_cells(heading, cells)
            for index, code, params in troubles:
                errors.add(raw.title, raw.numbers[index], headers[heading.name], code, **params)
    return Table(page, raw.title, headers, raw.numbers, columns), ignored
