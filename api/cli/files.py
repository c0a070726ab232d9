"""Reading and writing the user's files: whole or not at all."""

import json
import os
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

from api.cli.face import plain
from solver.errors import Fault


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises Fault when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Fault("cli.unreadable", str(path), reason=error.strerror or type(error).__name__) from None


def write_json(path: Path, document: Any) -> Path:
    """Write a document as `write_bytes` does."""
    text = json.dumps(document, ensure_ascii=False, indent=1, default=plain) + "\n"
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file beside its place, then move it there. Raises Fault when that cannot be done."""
    try:
        handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(half, 0o666 & ~_umask())
            os.replace(half, path)
        except BaseException:
            os.unlink(half)
            raise
    except OSError as error:
        raise Fault("cli.unwritable", str(path), reason=error.strerror or type(error).__name__) from None
    return path


def writable(path: Path | None) -> None:
    """Raises Fault now when `path` could not be written after long work."""
    if path is None:
        return
    folder = path.parent
    if not folder.is_dir():
        raise Fault("cli.no_folder", str(folder))
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise Fault("cli.unwritable", str(path), reason=os.strerror(21 if path.is_dir() else 13))


def day_of(text: str, option: str) -> date:
    """A date as the user typed it. Raises Fault when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Fault("cli.date_bad", option, value=text) from None


def moment_of(text: str, option: str) -> datetime:
    """A moment as the user typed it; without a zone, of this machine's. Raises Fault when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Fault("cli.moment_bad", option, value=text) from None
    return moment.astimezone()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
