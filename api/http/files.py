"""Files as answers."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from expert_pool.privacy.purposes import LONGEST, SHORTEST

KINDS = (
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/json",
    "application/zip",
    "image/png",
    "image/svg+xml",
    "text/csv",
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

PURPOSE: dict[str, Any] = {
    "min_length": SHORTEST,
    "max_length": LONGEST,
    "description": (
        "What the file is for. It stands in the watermark and on the ledger. Usual: 备案 (filing), 公示 (publication), "
        "会议材料 (the meeting's papers), 归档 (archive), 监督检查 (supervision), 复核申诉 (an appeal)."
    ),
    "examples": ["2026 年度备案"],
}
"""What a purpose is, for a route's parameter, field or form."""
Purpose = Annotated[str, Query(**PURPOSE)]
"""The parameter of a route that hands out a file with names in it."""


class Purposed(BaseModel):
    """What files are for."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(
        min_length=SHORTEST,
        max_length=LONGEST,
        description=PURPOSE["description"],
        examples=PURPOSE["examples"],
    )


def saved_as(name: str) -> str:
    """The Content-Disposition of a file to save under this name (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def attached(content: bytes, name: str, media_type: str) -> Response:
    """A file to save, never to be shown inside a page of ours: an SVG could carry a script."""
    headers = {
        "Content-Disposition": saved_as(name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return Response(content, 200, headers, media_type)
