"""The audit of a foreign panel as a workbook: summary, findings, rules, people as read, sources, notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from expert_pool.audits.report import Audit
from expert_pool.documents.audit_contents import (
    AuditView,
    banners,
    conclusion,
    finding_rows,
    left_out,
    ordered_people,
    rule_rows,
    shown,
    summary,
    taken,
)
from expert_pool.documents.files import put
from expert_pool.documents.wordml import legal
from expert_pool.documents.workbook import BAND, BROKEN, HEAD, RULE, UNSURE
from expert_pool.policies.vocabulary import FACTS

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    width: float
    centred: bool = False


def audit_workbook(audit: Audit, lang: str, path: Path) -> Path:
    """Write an audit to `path` as .xlsx; gives `path` back. Raises Fault when the file cannot be written."""
    from openpyxl import Workbook

    view, book = AuditView(audit, lang), Workbook()
    book.remove(book.worksheets[0])
    top = [(line, "") for line in (*banners(view), conclusion(view))]
    _sheet(book, view, "summary", (_Column("item", 34), _Column("content", 100)), [*top, *summary(view)])
    _findings(book, view)
    _rules(book, view)
    _people(book, view)
    sources = (_Column("name", 24), _Column("fact", 22), _Column("value", 24), _Column("source", 40))
    if rows := list(taken(view)):
        _sheet(book, view, "sources", sources, rows)
    remarks = [("", view.tell(note)) for note in audit.notes]
    remarks += [(rules, f"{parameter}: {why}") for rules, parameter, why in left_out(view)]
    if audit.registry is not None:
        remarks += [(one.label, view.tell(one.says)) for one in audit.registry.unmatched]
    if remarks:
        _sheet(book, view, "notes", (_Column("about", 30), _Column("content", 110)), remarks)
    book.properties.title = f"{audit.roster.file} {view.word('title')}"
    book.properties.creator = "expert-pool"
    whole = BytesIO()
    book.save(whole)
    return put(path, whole.getvalue())


def _findings(book: Workbook, view: AuditView) -> None:
    columns = (
        _Column("rule", 26), _Column("strength", 10, True), _Column("finding", 54), _Column("who", 44),
        _Column("measured_value", 10, True), _Column("bounds", 12, True), _Column("margin", 10, True),
        _Column("basis", 46), _Column("status", 24),
    )  # fmt: skip
    rows = [
        (
            row.title, view.word("hard" if row.hard else "soft"), row.says, row.who, row.value, row.bounds,
            row.margin, row.basis, row.status,
        )
        for row in finding_rows(view)
    ]  # fmt: skip
    _sheet(book, view, "findings", columns, rows or [(view.word("findings_none"),)])


def _rules(book: Workbook, view: AuditView) -> None:
    columns = (
        _Column("rule", 26), _Column("verdict", 12, True), _Column("measured", 50), _Column("known", 12, True),
        _Column("bounds", 12, True), _Column("margin", 10, True), _Column("missing", 60), _Column("basis", 46),
        _Column("status", 24),
    )  # fmt: skip
    rows = rule_rows(view)
    cells = [
        (
            row.title, view.word(f"verdict.{row.verdict}"), row.says, row.value, row.bounds, row.margin,
            row.missing, row.basis, row.status,
        )
        for row in rows
    ]  # fmt: skip
    sheet = _sheet(book, view, "all_rules", columns, cells)
    for number, row in enumerate(rows, 2):
        if row.verdict in ("broken", "not_judged"):
            _fill(sheet, number, len(columns), BROKEN if row.verdict == "broken" else UNSURE)


def _people(book: Workbook, view: AuditView) -> None:
    people = ordered_people(view)
    facts = [name for name in FACTS if any(name in person.facts for person in people)]
    columns = [
        _Column("row", 8, True), _Column("name", 18), _Column("code", 14), _Column("role", 13), _Column("group", 20),
        _Column("order", 10, True), _Column("employer", 30), _Column("legal_person", 30), _Column("specialties", 30),
        *(_Column(f"column.{name}", 14) for name in facts),
    ]  # fmt: skip
    rows = [
        (
            person.row,
            person.label,
            person.code or "",
            view.term("role", person.role),
            person.group or "",
            person.order,
            person.employer or "",
            person.legal_person or "",
            view.word("comma").join(person.specialties),
            *(shown(name, person.facts.get(name), view) for name in facts),
        )
        for person in people
    ]
    kept = [c for c in range(len(columns)) if any(row[c] not in ("", None) for row in rows)]
    _sheet(book, view, "people", [columns[c] for c in kept], [[row[c] for c in kept] for row in rows])


def _sheet(
    book: Workbook,
    view: AuditView,
    name: str,
    columns: Sequence[_Column],
    rows: Iterable[Sequence[str | int | None]],
) -> Worksheet:
    """One ruled table, ready to print. No text of the roster becomes a formula."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    face = "宋体" if view.lang == "zh" else "Calibri"
    sheet: Worksheet = book.create_sheet(view.word(name))
    line = Border(bottom=Side(style="thin", color=RULE))
    for c, column in enumerate(columns, 1):
        head = sheet.cell(1, c, view.word(column.head))
        head.font = Font(name=face, size=11, bold=True, color="FFFFFF")
        head.fill = PatternFill("solid", start_color=HEAD)
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        sheet.column_dimensions[get_column_letter(c)].width = column.width
    for number, row in enumerate(rows, 2):
        for c, value in enumerate(row, 1):
            cell = sheet.cell(number, c, legal(value)[:32_767] if isinstance(value, str) else value)
            cell.font, cell.border = Font(name=face, size=10.5), line
            side = "center" if columns[c - 1].centred else "left"
            cell.alignment = Alignment(horizontal=side, vertical="top", wrap_text=True)
            if isinstance(value, str) and value:
                cell.data_type = "s"
                cell.quotePrefix = value[0] in _FORMULA
            if number % 2:
                cell.fill = PatternFill("solid", start_color=BAND)
        sheet.row_dimensions[number].height = 4 + 15 * _lines(row, columns)
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.sheet_view.showGridLines = False
    return sheet


def _lines(row: Sequence[str | int | None], columns: Sequence[_Column]) -> int:
    """Lines that the tallest cell of a row takes, by about how many characters fit; wide ones count twice."""
    widths = [sum(2 if ord(sign) > 0x2E7F else 1 for sign in str(value or "")) for value in row]
    return (
        max((int(-(-w // max(c.width - 2, 1))) for w, c in zip(widths, columns, strict=False)), default=1)
        or 1
    )


def _fill(sheet: Worksheet, row: int, width: int, colour: str) -> None:
    from openpyxl.styles import PatternFill

    for column in range(1, width + 1):
        sheet.cell(row, column).fill = PatternFill("solid", start_color=colour)
