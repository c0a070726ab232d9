"""The report of a re-evaluation as a workbook: a summary with the cautions, then a sheet for each table."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from io import BytesIO
from typing import TYPE_CHECKING

from expert_pool.documents.reevaluation_contents import (
    Cell,
    Column,
    Report,
    Table,
    cautions,
    head_word,
    summary,
    tables,
)
from expert_pool.documents.wordml import legal
from expert_pool.documents.workbook import BAND, BROKEN, HEAD, RULE

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST = 32_767
"""Characters that a cell takes."""


def report_workbook(report: Report) -> bytes:
    """The report as .xlsx, with the time of writing still in it."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    rows: list[tuple[Cell, ...]] = [*summary(report)]
    rows += [(report.word("caution") if n == 0 else "", text) for n, text in enumerate(cautions(report))]
    _sheet(book, report, Table("summary", (Column("item", 26), Column("content", 110)), rows))
    for table in tables(report):
        _sheet(book, report, table)
    book.properties.title = report.word("title")
    book.properties.creator = "expert-pool"
    whole = BytesIO()
    book.save(whole)
    return whole.getvalue()


def _sheet(book: Workbook, report: Report, table: Table) -> Worksheet:
    """One ruled table, ready to print. No text becomes a formula."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    face = "宋体" if report.lang == "zh" else "Calibri"
    sheet: Worksheet = book.create_sheet(report.word(f"table.{table.name}")[:31])
    line = Side(style="thin", color=RULE)
    for c, column in enumerate(table.columns, 1):
        head = sheet.cell(1, c, head_word(report, column.head))
        head.font = Font(name=face, size=11, bold=True, color="FFFFFF")
        head.fill = PatternFill("solid", start_color=HEAD, end_color=HEAD)
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        sheet.column_dimensions[get_column_letter(c)].width = column.width
    plain, frame = Font(name=face, size=10.5), Border(bottom=line)
    aligned = [Alignment(horizontal=c.align, vertical="top", wrap_text=True) for c in table.columns]
    looks: dict[tuple[int, str], object] = {}
    for number, row in enumerate(table.rows, 2):
        fill = BROKEN if number - 2 in table.marked else BAND if number % 2 else ""
        for c, value in enumerate(row, 1):
            cell = sheet.cell(number, c, legal(value)[:LONGEST] if isinstance(value, str) else value)
            if (c, fill) in looks:  # setting each style anew would take three times as long
                cell._style = copy(looks[c, fill])  # type: ignore[attr-defined]
            else:
                cell.font, cell.border, cell.alignment = plain, frame, aligned[c - 1]
                if fill:
                    cell.fill = PatternFill("solid", start_color=fill, end_color=fill)
                looks[c, fill] = copy(cell._style)  # type: ignore[attr-defined]
            if isinstance(value, str) and value:
                cell.data_type = "s"
                cell.quotePrefix = value[0] in _FORMULA
        sheet.row_dimensions[number].height = 4.0 + 14.5 * _lines(row, table.columns)
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "B2" if len(table.columns) > 3 else "A2"
    if len(table.rows) > 1 and table.name != "summary":
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.sheet_view.showGridLines = False
    return sheet


def _lines(row: Sequence[Cell], columns: Sequence[Column]) -> int:
    """Lines that the tallest cell takes, at most 20: wide characters count twice."""
    most = 1
    for value, column in zip(row, columns, strict=True):
        if isinstance(value, str):
            room = max(int(column.width) - 1, 1)
            most = max(most, sum(-(-max(_width(line), 1) // room) for line in value.split("\n")))
    return min(most, 20)


def _width(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
