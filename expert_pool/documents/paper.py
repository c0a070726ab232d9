"""A4 paper with Chinese and Latin type set properly: the few building blocks that our reports are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from expert_pool.documents.wordml import (
    align,
    cells_of,
    colour,
    field,
    keep_whole,
    legal,
    points,
    repeat,
    set_borders,
    set_faces,
    set_languages,
    shade,
    span,
)
from expert_pool.words import say

if TYPE_CHECKING:
    from docx.document import Document as Report
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph

HEAD, BAND, LINE, MARK, INK, ALARM = "E4EAF4", "F3F6FB", "8496B0", "FBE3D6", "1F3864", "C00000"
WIDTH = 164
"""Millimetres between the margins."""


@dataclass(frozen=True, slots=True)
class Span:
    """A table row that is one cell across all columns."""

    text: str


@dataclass(frozen=True, slots=True)
class Faces:
    """Latin and East Asian type for body and headings."""

    latin: str
    body: str
    heading: str


FACES = {"zh": Faces("Times New Roman", "宋体", "黑体")}
OTHER = Faces("Calibri", "宋体", "黑体")


class Paper:
    """One report. Blocks are added in reading order; `save` writes the .docx."""

    def __init__(self, lang: str, header: str) -> None:
        from docx import Document

        self.lang = lang
        self.faces = FACES.get(lang, OTHER)
        self._document: Report = Document()
        self._styles()
        self._page(header)

    def title(self, *lines: str) -> None:
        """The title, one paragraph a line, the last one largest."""
        for number, text in enumerate(lines, 1):
            last = number == len(lines)
            paragraph = self._paragraph(text, 20 if last else 15, bold=True, heading=True)
            align(paragraph, "centre")
            paragraph.paragraph_format.space_after = points(12 if last else 2)

    def banner(self, text: str) -> None:
        """A framed warning across the page."""
        paragraph = self._grid(1, [WIDTH], ALARM)[0][0].paragraphs[0]
        self._run(paragraph, text, 11, bold=True, ink=ALARM, heading=True)
        align(paragraph, "centre")
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = points(3)
        self._paragraph("", 4)

    def heading(self, text: str, *, new_page: bool = False) -> None:
        self._document.add_heading(text, level=1).paragraph_format.page_break_before = new_page

    def note(self, text: str) -> None:
        paragraph = self._paragraph(text, 9.5, ink="595959")
        paragraph.paragraph_format.space_after = points(4)
        paragraph.paragraph_format.keep_with_next = True

    def item(self, text: str) -> None:
        paragraph = self._paragraph(text, 10.5)
        paragraph.style = self._document.styles["List Number"]

    def pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """A table of labels and texts."""
        for cells, (label, text) in zip(self._grid(len(rows), [34, WIDTH - 34], LINE), rows, strict=True):
            self._write(cells[0], label, bold=True, fill=HEAD)
            self._write(cells[1], text)

    def table(
        self,
        heads: Sequence[str],
        body: Sequence[Sequence[str] | Span],
        widths: Sequence[float],
        *,
        centred: Collection[int] = (),
        marked: Collection[int] = (),
    ) -> None:
        """A ruled table whose head row repeats on every page. `widths` are shares of the text width; columns
        in `centred` are centred, rows in `marked` shaded."""
        scale = WIDTH / sum(widths)
        head, *rows = self._grid(1 + len(body), [width * scale for width in widths], LINE)
        repeat(head[0])
        for cell, text in zip(head, heads, strict=True):
            self._write(cell, text, bold=True, fill=HEAD, centre=True)
        for number, (cells, line) in enumerate(zip(rows, body, strict=True)):
            if isinstance(line, Span):
                span(cells)
                self._write(cells[0], line.text, bold=True, fill=BAND)
                cells[0].paragraphs[0].paragraph_format.keep_with_next = True
                continue
            fill = MARK if number in marked else None
            for c, (cell, text) in enumerate(zip(cells, line, strict=True)):
                self._write(cell, text, centre=c in centred, fill=fill)
        self._paragraph("", 4)

    def signatures(self, title: str, who: Sequence[str], date: str) -> None:
        """Places to sign, two a row, kept together on one page."""
        heading = self._document.add_heading(title, level=1)
        heading.paragraph_format.keep_with_next = True
        rows = self._grid(-(-len(who) // 2), [WIDTH / 2, WIDTH / 2], LINE)
        for number, text in enumerate(who):
            cell = rows[number // 2][number % 2]
            self._write(cell, text, bold=True)
            for blank in ("", "", date):
                paragraph = cell.add_paragraph()
                self._run(paragraph, blank, 10.5)
                align(paragraph, "right")
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.keep_with_next = True

    def save(self, stream: IO[bytes]) -> None:
        self._document.save(stream)

    def _styles(self) -> None:
        from docx.enum.style import WD_STYLE_TYPE

        normal = self._document.styles["Normal"]
        normal.font.size = points(10.5)
        normal.paragraph_format.space_after = points(0)
        set_faces(normal.element.get_or_add_rPr(), self.faces.latin, self.faces.body)
        heading = self._document.styles["Heading 1"]
        heading.font.size, heading.font.bold = points(13), True
        heading.font.color.rgb = colour(INK)
        heading.paragraph_format.space_before = points(14)
        heading.paragraph_format.space_after = points(6)
        set_faces(heading.element.get_or_add_rPr(), self.faces.latin, self.faces.heading)
        for style in (normal, heading, self._document.styles["List Number"]):
            set_languages(style.element.get_or_add_rPr(), "en-GB", "zh-CN")

        self._cell = self._document.styles.add_style("Cell", WD_STYLE_TYPE.PARAGRAPH)
        self._cell.base_style = normal
        self._cell.font.size = points(9)
        self._cell.paragraph_format.space_before = self._cell.paragraph_format.space_after = points(2)

    def _page(self, header: str) -> None:
        from docx.shared import Mm

        section = self._document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin, section.right_margin = Mm(23), Mm(23)
        section.top_margin, section.bottom_margin = Mm(28), Mm(24)
        section.header_distance = section.footer_distance = Mm(14)
        top = section.header.paragraphs[0]
        self._run(top, header, 9, ink="595959")
        align(top, "right")
        foot = section.footer.paragraphs[0]
        align(foot, "centre")
        text = say("documents.page", self.lang, page="\0PAGE\0", pages="\0NUMPAGES\0")
        for number, piece in enumerate(text.split("\0")):
            if number % 2:
                run = foot.add_run()
                run.font.size = points(9)
                field(run, piece)
            else:
                self._run(foot, piece, 9)
        self._document.core_properties.title = header
        self._document.core_properties.author = "expert-pool"
        self._document.core_properties.comments = ""

    def _grid(self, rows: int, widths: Sequence[float], line: str) -> list[list[_Cell]]:
        """The cells of a new table, row by row; no row is broken over two pages."""
        from docx.enum.table import WD_TABLE_ALIGNMENT
        from docx.shared import Mm

        table = self._document.add_table(rows, len(widths))
        table.autofit = False
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        set_borders(table, line)
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(width)
        cells = cells_of(table)
        for row in cells:
            keep_whole(row[0])
            for cell, width in zip(row, widths, strict=True):
                cell.width = Mm(width)
        return cells

    def _write(
        self, cell: _Cell, text: str, *, bold: bool = False, centre: bool = False, fill: str | None = None
    ) -> None:
        from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT

        paragraph = cell.paragraphs[0]
        paragraph._p.style = self._cell.style_id  # by name it would be looked up anew each time
        run = paragraph.add_run(legal(text))
        if bold:
            run.bold = True
        if centre:
            align(paragraph, "centre")
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
        if fill:
            shade(cell, fill)

    def _paragraph(self, text: str, size: float, **look: Any) -> Paragraph:
        paragraph = self._document.add_paragraph()
        self._run(paragraph, text, size, **look)
        return paragraph

    def _run(
        self,
        paragraph: Paragraph,
        text: str,
        size: float,
        *,
        bold: bool = False,
        ink: str | None = None,
        heading: bool = False,
    ) -> None:
        run = paragraph.add_run(legal(text))
        run.font.size, run.font.bold = points(size), bold
        if ink:
            run.font.color.rgb = colour(ink)
        set_faces(
            run._r.get_or_add_rPr(), self.faces.latin, self.faces.heading if heading else self.faces.body
        )
