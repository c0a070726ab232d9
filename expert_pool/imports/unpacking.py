"""What an uploaded file is, told by its bytes, and what it would unpack to, told before anything is unpacked."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

from solver.errors import Fault

MOST_BYTES = 1024**3
"""More than this, unpacked, is refused."""
MOST_RATIO = 200
"""A workbook that would grow more than so many times is no workbook of anybody's."""
SMALL = 10 * 1024**2
"""Whatever unpacks to no more than this may grow as it likes."""
MOST_PARTS = 10_000

_SIGNATURE = b"PK\x03\x04"


def refuse_bombs(source: Path | bytes, name: str, *, most: int = MOST_BYTES) -> None:
    """Look at a workbook's table of contents, and refuse what would not fit.

    The sizes stated there bound what can be unpacked: a part is read up to its stated size and no further. Raises Fault
    `import.too_large`, `import.damaged` where it is no archive.
    """
    try:
        with zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        raise Fault("import.damaged", name) from None
    packed = len(source) if isinstance(source, bytes) else source.stat().st_size
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS:
        raise Fault("import.too_large", name, bytes=unpacked, most=most)
    if unpacked > most or unpacked > max(SMALL, MOST_RATIO * packed):
        raise Fault("import.too_large", name, bytes=unpacked, most=min(most, max(SMALL, MOST_RATIO * packed)))


def kind_of(content: bytes, name: str, *, most: int = MOST_BYTES) -> str:
    """`.xlsx` or `.csv`, whatever the sender calls it. Raises Fault as `refuse_bombs`; `import.no_rows` for nothing."""
    if not content.strip():
        raise Fault("import.no_rows", name)
    if not content.startswith(_SIGNATURE):
        if len(content) > most:
            raise Fault("import.too_large", name, bytes=len(content), most=most)
        return ".csv"
    refuse_bombs(content, name, most=most)
    return ".xlsx"


__all__ = ["MOST_BYTES", "kind_of", "refuse_bombs"]
