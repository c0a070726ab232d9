"""The panel as a workbook: members, alternates, rules, cases, funnel, summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from expert_pool.documents.contents import (
    MemberRow,
    alternate_rows,
    banners,
    case_rows,
    gate_rows,
    member_rows,
    rule_rows,
    summary,
)
from expert_pool.documents.files import put
from expert_pool.documents.people import Person
from expert_pool.documents.view import View
from solver.answer import Answer
from solver.problem import Problem

if TYPE_CHECKING:
    from openpyxl.styles import PatternFill
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

Cell = str | int | None
HEAD, BAND, BROKEN, UNSURE, RULE = "1F3864", "F3F6FB", "FBE3D6", "FFF2CC", "BFC7D5"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the code of its head, its width in characters, how it is aligned."""

    head: str
    width: float
    align: str = "left"


PEOPLE = (
    Column("group", 20), Column("role", 13), Column("name", 17), Column("pseudonym", 15), Column("employer", 28),
    Column("sector", 14), Column("rank", 10), Column("region", 10), Column("specialties", 22), Column("reasons", 46),
)  # fmt: skip
WAITING = (
    Column("group", 20), Column("order", 10, "center"), Column("name", 17), Column("pseudonym", 15),
    Column("employer", 28), Column("sector", 14), Column("rank", 10), Column("specialties", 22),
    Column("covers", 30), Column("reasons", 40),
)  # fmt: skip
RULES = (
    Column("rule", 24), Column("says", 52), Column("strength", 11, "center"), Column("verdict", 10, "center"),
    Column("value", 10, "right"), Column("bounds", 12, "center"), Column("margin", 10, "right"), Column("basis", 44),
    Column("basis_status", 22),
)  # fmt: skip
CASES = (
    Column("case", 17), Column("group", 24), Column("specialty", 20), Column("close", 12, "right"),
    Column("broad", 12, "right"), Column("recused", 56), Column("present", 12, "right"), Column("quorum", 11, "right"),
)  # fmt: skip
FUNNEL = (
    Column("gate", 34), Column("bars", 14, "right"), Column("left", 14, "right"), Column("basis", 48),
    Column("basis_status", 24),
)  # fmt: skip
SUMMARY = (Column("item", 30), Column("content", 96))


def panel_workbook(
    answer: Answer, people: Mapping[str, Person], lang: str, path: Path, problem: Problem | None = None
) -> Path:
    """Write the panel to `path` as .xlsx; gives `path` back. `problem` names groups, specialties and rules.

    Raises Fault when the file cannot be written.
    """
    from openpyxl import Workbook

    view = View(answer, people, lang, problem)
    book = Workbook()
    book.remove(book.worksheets[0])
    _sheet(book, view, "members", PEOPLE, (_member(view, row) for row in member_rows(view)))
    _sheet(book, view, "alternates", WAITING, (_waiting(view, row) for row in alternate_rows(view)))
    _rules(book, view)
    cases = (
        (c.case, c.group, c.specialty, c.close, c.broad, c.recused, c.present, c.quorum)
        for c in case_rows(view)
    )
    _sheet(book, view, "cases", CASES, cases)
    gates = gate_rows(view)
    funnel = _sheet(
        book, view, "funnel", FUNNEL, ((g.title, g.bars, g.left, g.basis, g.basis_status) for g in gates)
    )
    _unsure(funnel, view, [g.unconfirmed for g in gates], len(FUNNEL))
    why = [(view.word("why_not"), view.tell(saying)) for saying in answer.why_not]
    _sheet(book, view, "summary", SUMMARY, [*summary(view), *why])
    book.properties.title = f"{answer.problem.title} {view.word('title')}"
    book.properties.creator = "expert-pool"
    whole = BytesIO()
    book.save(whole)
    return put(path, whole.getvalue())


def _member(view: View, row: MemberRow) -> Sequence[Cell]:
    p = row.person
    return (
        row.group, view.term("role", row.role), p.name, row.pseudonym, p.employer, view.term("sector", p.sector),
        view.term("rank", p.rank), p.region, view.word("comma").join(p.specialties), "\n".join(row.reasons),
    )  # fmt: skip


def _waiting(view: View, row: MemberRow) -> Sequence[Cell]:
    p = row.person
    return (
        row.group, row.order, p.name, row.pseudonym, p.employer, view.term("sector", p.sector),
        view.term("rank", p.rank), view.word("comma").join(p.specialties),
        view.word("covers_text", group=row.group, order=row.order), "\n".join(row.reasons),
    )  # fmt: skip


def _rules(book: Workbook, view: View) -> None:
    rows = rule_rows(view)
    cells = (
        (
            r.title, r.says, view.word("hard" if r.hard else "soft"), view.word("holds" if r.holds else "broken"),
            r.value, r.bounds, r.margin, r.basis, r.basis_status,
        )
        for r in rows
    )  # fmt: skip
    sheet = _sheet(book, view, "rules", RULES, cells)
    first = len(banners(view)) + 2
    for number, row in enumerate(rows, first):
        if not row.holds:
            _fill(sheet, number, range(1, len(RULES) + 1), BROKEN)
    _unsure(sheet, view, [row.unconfirmed for row in rows], len(RULES))
    sheet.cell(first + len(rows) + 1, 1, view.word("rules_note"))


def _unsure(sheet: Worksheet, view: View, unconfirmed: Sequence[bool], column: int) -> None:
    """Marks the bases that nobody has confirmed yet."""
    for number, unsure in enumerate(unconfirmed, len(banners(view)) + 2):
        if unsure:
            _fill(sheet, number, (column - 1, column), UNSURE)


def _sheet(
    book: Workbook, view: View, name: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]]
) -> Worksheet:
    from openpyxl.styles import Alignment, Border, Font, Side
    from openpyxl.utils import get_column_letter

    face = "宋体" if view.lang == "zh" else "Calibri"
    sheet: Worksheet = book.create_sheet(view.word(name))
    notes = banners(view)
    for number, note in enumerate(notes, 1):
        sheet.cell(number, 1, note).font = Font(name=face, size=11, bold=True, color="C00000")
    top = len(notes) + 1
    line = Side(style="thin", color=RULE)
    for c, column in enumerate(columns, 1):
        head = sheet.cell(top, c, view.word(column.head))
        head.font = Font(name=face, size=11, bold=True, color="FFFFFF")
        head.fill = _solid(HEAD)
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        head.border = Border(line, line, line, line)
        sheet.column_dimensions[get_column_letter(c)].width = column.width
    plain = Font(name=face, size=10.5)
    frame = Border(bottom=line)
    aligned = [
        Alignment(horizontal=c.align, vertical="top", wrap_text=True, indent=int(c.align == "right"))
        for c in columns
    ]
    last = top
    looks: dict[tuple[int, bool], object] = {}
    for last, row in enumerate(rows, top + 1):
        band = (last - top) % 2 == 0
        for c, value in enumerate(row, 1):
            filled = sheet.cell(last, c, _legal(value) if isinstance(value, str) else value)
            if (c, band) in looks:  # setting each style anew would take three times as long
                filled._style = copy(looks[c, band])  # type: ignore[attr-defined]
            else:
                filled.font, filled.border, filled.alignment = plain, frame, aligned[c - 1]
                if band:
                    filled.fill = _solid(BAND)
                looks[c, band] = copy(filled._style)  # type: ignore[attr-defined]
            if isinstance(value, str) and value:
                filled.data_type = "s"
                filled.quotePrefix = value[0] in _FORMULA
        sheet.row_dimensions[last].height = 4.0 + 14.5 * _height(row, columns)
    sheet.row_dimensions[top].height = 32
    sheet.freeze_panes = f"A{top + 1}"
    if columns is not SUMMARY and last > top:
        sheet.auto_filter.ref = f"A{top}:{get_column_letter(len(columns))}{last}"
    _print(sheet, top, view.word("page", page="&P", pages="&N"))
    return sheet


def _print(sheet: Worksheet, top: int, foot: str) -> None:
    sheet.print_title_rows = f"{top}:{top}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.8
    sheet.page_margins.header = sheet.page_margins.footer = 0.4
    sheet.oddFooter.center.text = foot  # type: ignore[union-attr]
    sheet.oddHeader.right.text = "&A"  # type: ignore[union-attr]
    sheet.sheet_view.showGridLines = False


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _legal(text: str) -> str:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("", text)[:32_767]


def _solid(colour: str) -> PatternFill:
    from openpyxl.styles import PatternFill

    return PatternFill("solid", start_color=colour, end_color=colour)


def _fill(sheet: Worksheet, row: int, columns: Iterable[int], colour: str) -> None:
    for column in columns:
        sheet.cell(row, column).fill = _solid(colour)


def _height(row: Sequence[Cell], columns: Sequence[Column]) -> int:
    """Lines that the tallest cell of a row takes: wide characters count twice."""
    return max(
        (
            sum(-(-max(_width(line), 1) // max(int(column.width) - 1, 1)) for line in value.split("\n"))
            for value, column in zip(row, columns, strict=True)
            if isinstance(value, str)
        ),
        default=1,
    )


def _width(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
