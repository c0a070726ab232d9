"""An empty workbook with every sheet, its headers and choices, and a page that explains them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expert_pool.imports.contents import Content, any_sheet, sheets_of
from expert_pool.imports.exporting import headers, title
from expert_pool.imports.labels import NO, YES, allowed, spoken
from expert_pool.imports.sheets import EXPLANATION, Column, Kind, Sheet
from expert_pool.words import say
from solver.errors import Fault

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

LINES = 5_000
"""So many rows of each sheet offer choices and keep codes as text."""

_REQUIRED, _OPTIONAL = "FFF2CC", "EDEDED"


def write_template(path: str | Path, lang: str = "zh", content: Content = "tables") -> None:
    """Write an empty workbook for a content, whose headers are Chinese or English; import reads it back once it is filled in.

    Required headers are marked by colour; cells of codes and dates are text, so that a spreadsheet changes none.
    Raises Fault `import.cannot_write`, or `import.unknown_kind_of_file` when `path` is not an .xlsx.
    """
    import openpyxl

    place = Path(path)
    if place.suffix.lower() != ".xlsx":
        raise Fault("import.unknown_kind_of_file", str(place), suffix=place.suffix)
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    sheets = sheets_of(content)
    _explain(workbook.create_sheet(EXPLANATION.get(lang, EXPLANATION["en"])), sheets.values(), lang)
    for sheet in sheets.values():
        _lay_out(workbook.create_sheet(title(sheet, lang)), sheet, lang)
    try:
        workbook.save(place)
    except OSError as trouble:
        raise Fault("import.cannot_write", str(place), reason=trouble.strerror or str(trouble)) from None


def explained(column: Column, lang: str) -> str:
    """What may stand in a column, in words."""
    choices = allowed(column.choices) if column.choices else {}
    to = f"{any_sheet(column.to).zh} / {column.to}" if column.to else ""
    return say(f"import.kind.{column.kind.value}", lang, **choices, to=to, low=column.low, high=column.high)


def _lay_out(page: Worksheet, sheet: Sheet, lang: str) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    page.append(headers(sheet, lang))
    page.freeze_panes = "A2"
    for place, column in enumerate(sheet.columns, 1):
        letter = get_column_letter(place)
        cell = page.cell(1, place)
        cell.font = Font(bold=column.required)
        cell.fill = PatternFill("solid", start_color=_REQUIRED if column.required else _OPTIONAL)
        cell.comment = Comment(explained(column, lang), "expert-pool", width=320, height=120)
        page.column_dimensions[letter].width = 22
        page.column_dimensions[letter].number_format = "@"
        if choices := _choices(column, lang):
            offer = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
            offer.add(f"{letter}2:{letter}{LINES}")
            page.add_data_validation(offer)


def _choices(column: Column, lang: str) -> list[str]:
    if column.choices:
        return [spoken(value, lang) for value in column.choices]
    if column.kind is Kind.BOOLEAN:
        return [YES[0], NO[0]] if lang == "zh" else [YES[2], NO[2]]
    return []


def _explain(page: Worksheet, sheets: Iterable[Sheet], lang: str) -> None:
    from openpyxl.styles import Alignment, Font

    page.append([say("import.explain.title", lang)])
    page.append([say("import.explain.order", lang)])
    page.append([])
    page.append(
        [say(f"import.explain.{name}", lang) for name in ("sheet", "zh", "en", "required", "content")]
    )
    for sheet in sheets:
        about = say(f"import.about.{sheet.name}", lang)
        page.append([f"{sheet.zh} / {sheet.name}", "", "", "", about])
        page.cell(page.max_row, 1).font = Font(bold=True)
        for column in sheet.columns:
            required = say(f"import.explain.{'yes' if column.required else 'no'}", lang)
            row: list[Any] = ["", column.zh, column.name, required, explained(column, lang)]
            page.append(row)
    page.freeze_panes = "A5"
    for letter, width in zip("ABCDE", (26, 24, 16, 10, 90), strict=True):
        page.column_dimensions[letter].width = width
    for line in page.iter_rows(min_row=4):
        line[4].alignment = Alignment(wrap_text=True, vertical="top")
    for place in (1, 4):
        for cell in page[place]:
            cell.font = Font(bold=True)


__all__ = ["LINES", "explained", "write_template"]
