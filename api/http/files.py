"""Files as answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.responses import Response

KINDS = (
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/json",
    "application/zip",
    "image/png",
    "image/svg+xml",
)
"""The media types that files of ours have."""
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            kind: {"schema": {} if kind == "application/json" else {"type": "string", "format": "binary"}}
            for kind in KINDS
        },
    }
}
"""How a route that answers with a file describes it."""


def attached(content: bytes, name: str, media_type: str) -> Response:
    """A file to save, never to be shown inside a page of ours: an SVG could carry a script."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return Response(content, 200, headers, media_type)
