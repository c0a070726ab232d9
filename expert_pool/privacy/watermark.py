"""The mark every exported file carries: who took it, when, what for, and a serial number that finds it again.

It stands where people and programs leave it alone: in page headers and on a sheet of its own in a workbook, in the page
header of a document, below a picture, in the last line of a CSV file (import passes over it). It shows where a leaked file came from; it
does not withstand somebody who takes it out.
"""

from __future__ import annotations

import io
import re
import secrets
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expert_pool.words import say

if TYPE_CHECKING:
    from openpyxl import Workbook

MARK_LINE = "#expert-pool export"
"""What the last line of an exported CSV file begins with."""
MARK_SHEET = {"zh": "导出说明", "en": "About this export"}
"""The sheet of an exported workbook that import passes over."""

SERIAL = re.compile(r"X[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}")
_MOST_BYTES = 512 * 1024**2
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a watermark says."""

    serial: str
    actor: str
    at: datetime
    purpose: str

    def sentence(self, lang: str) -> str:
        """The watermark as one line."""
        return say("privacy.watermark", lang, **self._params())

    def lines(self, lang: str) -> list[tuple[str, str]]:
        """The watermark as labelled lines."""
        return [(say(f"privacy.stamp_{name}", lang), value) for name, value in self._params().items()]

    def _params(self) -> dict[str, str]:
        at = self.at.astimezone().isoformat(timespec="seconds")
        return {"serial": self.serial, "actor": self.actor, "at": at, "purpose": self.purpose}


def new_serial() -> str:
    """A fresh serial number."""
    digits = secrets.token_hex(6).upper()
    return f"X{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def csv_line(stamp: Stamp) -> list[str]:
    """The cells of the last line of a CSV file."""
    cells = stamp._params().values()
    return [MARK_LINE, *(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)]


def is_mark(row: Any) -> bool:
    """Whether a row read from a file is the last line of an export."""
    return bool(row) and str(row[0]).startswith(MARK_LINE)


def stamp_page(page: Any, stamp: Stamp, lang: str) -> None:
    """Put the watermark into the header and footer of a worksheet."""
    said = stamp.sentence(lang).replace("&", "&&")[:250]  # a header holds 255 characters
    page.oddHeader.center.text = said
    page.oddFooter.center.text = f"{stamp.serial} · &P/&N"


def stamp_workbook(workbook: Workbook, stamp: Stamp, lang: str) -> None:
    """Give a workbook its own sheet of watermark, and the serial in its properties."""
    page: Any = workbook.create_sheet(MARK_SHEET.get(lang, MARK_SHEET["en"]))
    for label, value in stamp.lines(lang):
        page.append([label, f"'{value}" if value.startswith(_FORMULA) else value])
    stamp_page(page, stamp, lang)
    workbook.properties.identifier = stamp.serial
    workbook.properties.description = stamp.sentence(lang)


def stamp_document(content: bytes, suffix: str, stamp: Stamp, lang: str) -> bytes:
    """A finished .docx, .xlsx, .svg or .png with its watermark; anything else comes back as it is."""
    out = io.BytesIO()
    if suffix.lower() in (".svg", ".png"):
        from expert_pool.privacy.picture_marks import stamped_png, stamped_svg

        draw = stamped_svg if suffix.lower() == ".svg" else stamped_png
        return draw(content, stamp.sentence(lang), stamp.serial)
    if suffix.lower() == ".docx":
        from docx import Document

        report = Document(io.BytesIO(content))
        for section in report.sections:
            section.header.is_linked_to_previous = False
            section.header.add_paragraph(stamp.sentence(lang))
        report.core_properties.identifier = stamp.serial
        report.save(out)
        return out.getvalue()
    if suffix.lower() == ".xlsx":
        import openpyxl

        workbook = openpyxl.load_workbook(io.BytesIO(content))
        for page in workbook.worksheets:
            stamp_page(page, stamp, lang)
        stamp_workbook(workbook, stamp, lang)
        workbook.save(out)
        return out.getvalue()
    return content


def serials_in(path: Path) -> list[str]:
    """The serial numbers that a file shows, packed (docx, xlsx) or plain; none where it cannot be read as either."""
    found: list[str] = []
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.infolist()
            if sum(entry.file_size for entry in names) > _MOST_BYTES:
                return []
            for entry in names:
                found += SERIAL.findall(archive.read(entry).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        if path.stat().st_size > _MOST_BYTES:
            return []
        data = path.read_bytes()
        for encoding in ("utf-8", "utf-16"):
            found += SERIAL.findall(data.decode(encoding, "replace"))
    return list(dict.fromkeys(found))
