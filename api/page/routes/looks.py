"""Who looked at what: sealed fields seen in clear, and what left the house, for whoever audits."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field
from starlette.responses import Response

from api.http.access import allowed
from api.http.paging import Cursor
from api.http.routes.privacy import list_exports, list_looks
from api.http.service import Served
from api.page.answering import Given
from api.page.answering import router as pages
from api.page.rendering import render
from expert_pool.accounts import Principal, Right

router = pages()
_Auditor = Annotated[Principal, Depends(allowed(Right.LEDGER_READ))]
_Code = Annotated[Annotated[str, Field(max_length=129, pattern=r"^[^\x00-\x1f]+$")] | None, Given]
_Sha = Annotated[Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None, Given]
_LINES = 100


@router.get("/looks")
def looks_page(
    request: Request,
    asks: _Auditor,
    service: Served,
    expert: _Code = None,
    actor: _Code = None,
    cursor: Cursor = None,
) -> Response:
    """Looks at sealed fields, by expert and by account."""
    page = list_looks(asks, service, expert=expert, actor=actor, limit=_LINES, cursor=cursor)
    return render(request, "looks.html", asks, page=page, expert=expert, actor=actor)


@router.get("/looks/exports")
def exports_page(
    request: Request, asks: _Auditor, service: Served, sha256: _Sha = None, cursor: Cursor = None
) -> Response:
    """Exports with purpose and serial number; a file is found by its hash."""
    page = list_exports(asks, service, sha256=sha256, limit=_LINES, cursor=cursor)
    return render(request, "exports.html", asks, page=page, sha256=sha256)
