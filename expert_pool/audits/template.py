"""An empty roster with every sheet and header, and a page that explains them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from expert_pool.audits.layout import PAGES, Heading, Kind, Page
from expert_pool.audits.values import choices_of, explained, words_of
from expert_pool.documents.files import put
from expert_pool.imports.sheets import EXPLANATION
from expert_pool.words import say
from solver.errors import Fault

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

LINES = 500
"""So many rows of each sheet offer choices and keep codes and dates as text."""

_REQUIRED, _OPTIONAL = "FFF2CC", "EDEDED"


def write_template(path: Path, lang: str = "zh") -> Path:
    """Write an empty roster as .xlsx with headers in `lang`; gives `path` back.

    Raises Fault `import.unknown_kind_of_file` for another suffix, `documents.cannot_write`.
    """
    from openpyxl import Workbook

    if path.suffix.lower() != ".xlsx":
        raise Fault("import.unknown_kind_of_file", str(path), suffix=path.suffix)
    book = Workbook()
    book.remove(book.worksheets[0])
    for page in PAGES.values():
        _lay_out(book.create_sheet(page.zh if lang == "zh" else page.name), page, lang)
    _explain(book.create_sheet(EXPLANATION.get(lang, EXPLANATION["en"])), lang)
    whole = BytesIO()
    book.save(whole)
    return put(path, whole.getvalue())


def _lay_out(sheet: Worksheet, page: Page, lang: str) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    sheet.append([_header(heading, lang) for heading in page.headings])
    sheet.freeze_panes = "A2"
    needed = {name for names in page.one_of for name in names[:1]}
    for place, heading in enumerate(page.headings, 1):
        letter = get_column_letter(place)
        required = heading.required or heading.name in needed
        cell = sheet.cell(1, place)
        cell.font = Font(bold=required)
        cell.fill = PatternFill("solid", start_color=_REQUIRED if required else _OPTIONAL)
        sheet.column_dimensions[letter].width = 18
        sheet.column_dimensions[letter].number_format = "@"
        if heading.kind is Kind.YES or words_of(heading.kind):
            offered = ",".join(choices_of(heading.kind, lang))
            offer = DataValidation(type="list", formula1=f'"{offered}"', allow_blank=True)
            offer.add(f"{letter}2:{letter}{LINES}")
            sheet.add_data_validation(offer)


def _header(heading: Heading, lang: str) -> str:
    return heading.zh if lang == "zh" else heading.name


def _explain(sheet: Worksheet, lang: str) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.append([say("audit.template.title", lang)])
    sheet.append([say("audit.template.how", lang)])
    sheet.append([])
    sheet.append([say(f"import.explain.{name}", lang) for name in ("sheet", "zh", "en", "content")])
    for page in PAGES.values():
        sheet.append([f"{page.zh} / {page.name}", "", "", say(f"audit.about.{page.name}", lang)])
        sheet.cell(sheet.max_row, 1).font = Font(bold=True)
        for heading in page.headings:
            more = "、".join(heading.also)
            text = explained(heading, lang)
            if more:
                text = f"{text} {say('audit.template.also', lang, names=more)}"
            sheet.append(["", heading.zh, heading.name, text])
    for letter, width in zip("ABCD", (24, 20, 20, 110), strict=True):
        sheet.column_dimensions[letter].width = width
    for line in sheet.iter_rows(min_row=4):
        line[3].alignment = Alignment(wrap_text=True, vertical="top")
    for place in (1, 4):
        for cell in sheet[place]:
            cell.font = Font(bold=True)
