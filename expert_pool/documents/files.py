"""Writing a document so that a reader never finds half of one."""

from __future__ import annotations

import os
from pathlib import Path

from solver.errors import Fault


def put(path: Path, content: bytes) -> Path:
    """Write `content` beside `path`, then rename over it; gives `path` back.

    Raises Fault `documents.cannot_write` when the folder is missing or closed to us; nothing is left behind.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise Fault("documents.cannot_write", str(path), reason=error.strerror or str(error)) from error
    return path
