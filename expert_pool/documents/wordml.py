"""The parts of WordprocessingML that python-docx does not reach: fonts by script, borders, fields, repeated heads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from docx.shared import Length, RGBColor
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run

Side = Literal["left", "centre", "right"]


def set_faces(properties: Any, latin: str, east: str) -> None:
    """Latin and East Asian type of a run or style (`properties` is its rPr)."""
    fonts = element(properties, "w:rFonts")
    for name in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(_name(name), None)
    for name, face in (("w:ascii", latin), ("w:hAnsi", latin), ("w:cs", latin), ("w:eastAsia", east)):
        fonts.set(_name(name), face)


def set_languages(properties: Any, latin: str, east: str) -> None:
    """The languages that a word processor checks and breaks lines by."""
    languages = element(properties, "w:lang")
    languages.set(_name("w:val"), latin)
    languages.set(_name("w:eastAsia"), east)


def set_borders(table: Table, colour: str) -> None:
    """Thin lines around and inside a table, and some air in its cells."""
    properties = table._tbl.tblPr
    borders = element(properties, "w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = element(borders, f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", colour)):
            line.set(_name(f"w:{name}"), value)
    margins = element(properties, "w:tblCellMar")
    for side in ("left", "right"):
        margin = element(margins, f"w:{side}")
        margin.set(_name("w:w"), "70")
        margin.set(_name("w:type"), "dxa")


def shade(cell: _Cell, colour: str) -> None:
    """Fill a cell."""
    fill = element(cell._tc.get_or_add_tcPr(), "w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        fill.set(_name(f"w:{name}"), value)


def cells_of(table: Table) -> list[list[_Cell]]:
    """All cells, row by row (python-docx itself takes quadratic time over long tables)."""
    from docx.table import _Cell

    return [[_Cell(cell, table) for cell in row.tc_lst] for row in table._tbl.tr_lst]


def span(row: list[_Cell]) -> None:
    """The first cell of a row takes the place of all."""
    from docx.shared import Emu

    first, *others = row
    width = sum((cell.width for cell in row if cell.width is not None), start=0)
    for cell in others:
        cell._tc.getparent().remove(cell._tc)
    first._tc.grid_span = len(row)
    first.width = Emu(width)


def keep_whole(first: _Cell) -> None:
    """No page break inside the row that begins with this cell."""
    element(first._tc.getparent().get_or_add_trPr(), "w:cantSplit")


def repeat(first: _Cell) -> None:
    """The row that begins with this cell stands at the top of every page of its table."""
    element(first._tc.getparent().get_or_add_trPr(), "w:tblHeader")


def field(run: Run, instruction: str) -> None:
    """A field that the word processor works out, such as PAGE."""
    from docx.oxml import OxmlElement

    for kind in ("begin", None, "end"):
        if kind is None:
            part = OxmlElement("w:instrText")
            part.text = instruction
        else:
            part = OxmlElement("w:fldChar")
            part.set(_name("w:fldCharType"), kind)
        run._r.append(part)


def align(paragraph: Paragraph, side: Side) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph.alignment = {
        "left": WD_ALIGN_PARAGRAPH.LEFT,
        "centre": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
    }[side]


def points(size: float) -> Length:
    from docx.shared import Pt

    return Pt(size)


def colour(hex: str) -> RGBColor:
    from docx.shared import RGBColor

    return RGBColor.from_string(hex)


def legal(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def element(parent: Any, name: str) -> Any:
    """The child of this name, made in its lawful place when missing."""
    from docx.oxml import OxmlElement

    found = parent.find(_name(name))
    if found is None:
        found = OxmlElement(name)
        after = [_name(n) for n in _AFTER.get(name, ())]
        later = next((child for child in parent if child.tag in after), None)
        if later is None:
            parent.append(found)
        else:
            later.addprevious(found)
    return found


def _name(name: str) -> str:
    from docx.oxml.ns import qn

    return qn(name)


_AFTER = {
    "w:rFonts": (
        "w:b", "w:bCs", "w:i", "w:iCs", "w:color", "w:spacing", "w:kern", "w:sz", "w:szCs", "w:u", "w:lang",
    ),
    "w:tblBorders": ("w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook"),
    "w:tblCellMar": ("w:tblLook",),
    "w:shd": ("w:noWrap", "w:tcMar", "w:textDirection", "w:tcFitText", "w:vAlign", "w:hideMark"),
    "w:cantSplit": ("w:tblHeader",),
}  # fmt: skip
"""What comes after an element in the order that the schema lays down."""
