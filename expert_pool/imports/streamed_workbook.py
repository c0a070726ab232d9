"""A workbook of one page that is sent while it is written (ECMA-376, part 1): a zip archive over a pipe.

openpyxl needs the whole file before the first byte can leave. Cells are texts and whole numbers, never formulas.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from solver.errors import Fault

MOST_ROWS = 1_048_576
_SHEET = "xl/worksheets/sheet1.xml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")


class StreamedWorkbook:
    """Rows go in by `row`, bytes come out by `taken`; `close` writes the end."""

    def __init__(self, title: str, header: str) -> None:
        self._pipe = _Pipe()
        self._archive = zipfile.ZipFile(self._pipe, "w", zipfile.ZIP_DEFLATED)
        self._header, self._rows = header, 0
        for name, text in _parts(_NOT_IN_TITLES.sub("_", title)[:31]).items():
            self._archive.writestr(name, _HEAD + text)
        self._page = self._archive.open(_SHEET, "w", force_zip64=True)
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        views = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        self._write(f'{_HEAD}<worksheet xmlns="{_MAIN}">{views}<sheetData>')

    def row(self, cells: Sequence[Any]) -> None:
        """One row below the others. Raises Fault `import.too_many_rows`."""
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise Fault("import.too_many_rows", "", sheet="", rows=self._rows, most=MOST_ROWS)
        self._write(f"<row>{''.join(map(_cell, cells))}</row>")

    def close(self) -> None:
        """The end of the page and of the archive."""
        said = escape(self._header.replace("&", "&&")[:250])
        self._write(
            f"</sheetData><headerFooter><oddHeader>&amp;C{said}</oddHeader></headerFooter></worksheet>"
        )
        self._page.close()
        self._archive.close()

    def taken(self) -> bytes:
        """What was written since the last time."""
        return self._pipe.taken()

    def _write(self, text: str) -> None:
        self._page.write(text.encode())


class _Pipe(io.RawIOBase):
    """What a zip archive is written to; it cannot be sought in, so sizes follow each part."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    text = escape(_NOT_XML.sub("\ufffd", str(value)))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _parts(title: str) -> dict[str, str]:
    """Every part of the archive but the page."""

    def types(part: str, kind: str) -> str:
        return f'<Override PartName="/{part}" ContentType="{_TYPES}.{kind}+xml"/>'

    def relation(target: str, kind: str) -> str:
        return f'<Relationship Id="rId1" Type="{_OFFICE}/relationships/{kind}" Target="{target}"/>'

    relations = f'<Relationships xmlns="{_PACKAGE}/relationships">'
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{types('xl/workbook.xml', 'sheet.main')}{types(_SHEET, 'worksheet')}</Types>",
        "_rels/.rels": f"{relations}{relation('xl/workbook.xml', 'officeDocument')}</Relationships>",
        "xl/_rels/workbook.xml.rels": f"{relations}{relation('worksheets/sheet1.xml', 'worksheet')}</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships"><sheets>'
        f'<sheet name="{escape(title, {chr(34): "&quot;"})}" sheetId="1" r:id="rId1"/></sheets></workbook>',
    }


__all__ = ["MOST_ROWS", "StreamedWorkbook"]
